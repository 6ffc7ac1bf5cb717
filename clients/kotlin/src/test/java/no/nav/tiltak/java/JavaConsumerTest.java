package no.nav.tiltak.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.List;
import no.nav.tiltak.datadeling.Avtalefelt;
import no.nav.tiltak.datadeling.Avtaleside;
import no.nav.tiltak.datadeling.Datadeling;
import no.nav.tiltak.datadeling.MemoryStore;
import no.nav.tiltak.datadeling.ProblemError;
import no.nav.tiltak.datadeling.QueryApiClient;
import no.nav.tiltak.datadeling.Service;
import no.nav.tiltak.datadeling.Sok;
import no.nav.tiltak.datadeling.Tiltakstype;
import org.junit.jupiter.api.Test;

/** What a program in Java writes. */
class JavaConsumerTest {
    @Test
    void asksAndIsAnswered() throws Exception {
        var mapper = new ObjectMapper();
        var answer = mapper.readTree("{\"json\":{\"avtaler\":[],\"neste\":\"c\"}}");
        try (var service = new Service(List.of(answer))) {
            QueryApiClient client = Datadeling.createQueryApiClient(service.getUrl(), refused -> "t");
            Sok search = new Sok.Builder().tiltakstyper(List.of(Tiltakstype.MENTOR)).antall(20).build();
            Avtaleside page = client.sokAvtaler(search).getData();
            assertEquals("c", page.getNeste());
            assertEquals(mapper.readTree("{\"tiltakstyper\":[\"MENTOR\"],\"antall\":20}"),
                mapper.readTree(service.getSeen().get(0).getBody()));
        }
    }

    @Test
    void followsUntilItIsRefused() throws Exception {
        var answer = new ObjectMapper().readTree("{\"status\":403,\"problem\":\"ikke-tilgang\"}");
        try (var service = new Service(List.of(answer))) {
            QueryApiClient client = Datadeling.createQueryApiClient(
                service.getUrl(), refused -> "t", "B1", Duration.ofSeconds(5), Duration.ofSeconds(5), waited -> { });
            var error = assertThrows(ProblemError.class,
                () -> Datadeling.followAvtaler(client, new MemoryStore<>(), progress -> { }, (failure, pause) -> { }));
            assertEquals("ikke-tilgang", error.getCode());
            assertThrows(ProblemError.class, () -> Datadeling.followAvtaler(
                client, new MemoryStore<>(), List.of(Avtalefelt.startDato), progress -> { }, (failure, pause) -> { }));
        }
    }
}
