package no.nav.tiltak.eksempel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A made-up consumer that asks whether somebody is on a measure, and asks again when it is told to wait. */
class ConsumerTest {

    @RegisterExtension
    static final Sandbox SANDBOX = new Sandbox();

    private final ObjectMapper json = new ObjectMapper();

    @Test
    void theAnswerFollowsTheClock() throws Exception {
        var ident = SANDBOX.plant("planlagt");
        assertEquals("NEI", answerFor(ident));
        SANDBOX.control("POST", "klokke", "{\"flyttDager\": 30}");
        assertEquals("JA", answerFor(ident));
    }

    @Test
    void renewedApprovalsAreUncertain() throws Exception {
        assertEquals("UAVKLART", answerFor(SANDBOX.plant("inngaas-paa-nytt")));
    }

    @Test
    void whoIsToldToWaitAsksAgain() throws Exception {
        var ident = SANDBOX.plant("paagaar");
        SANDBOX.control("POST", "feil", "{\"operasjon\": \"hentTiltaksstatus\", \"status\": 503, \"antall\": 2}");
        assertEquals("JA", answerFor(ident));
        var lookups = SANDBOX.control("GET", "oppslag?konsument=smal", null).at("/oppslag");
        assertEquals(1, lookups.size());
        assertEquals(ident, lookups.at("/0/identer/0").asText());
    }

    /** The consumer: `smal` of the registry, which may ask only this. */
    private String answerFor(String ident) throws Exception {
        var body = "{\"personidenter\": [\"" + ident + "\"]}";
        for (int attempt = 1; ; attempt++) {
            var response = SANDBOX.ask("smal", "POST", "/api/v1/personer/tiltaksstatus", body);
            if (response.statusCode() == 200) return json.readTree(response.body()).at("/personer/0/svar").asText();
            if (response.statusCode() != 503 || attempt == 5) throw new IllegalStateException(response.body());
            Thread.sleep(1_000L * response.headers().firstValueAsLong("Retry-After").orElse(1));
        }
    }
}
