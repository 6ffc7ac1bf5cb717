package no.nav.tiltak.eksempel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The sandbox, for as long as the tests of a class run; each test begins with nothing in it. */
public final class Sandbox implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {

    private static final String COMMAND = "npx --yes @navikt/tiltak-datadeling-sandbox --port 0";
    private static final Pattern ADDRESS = Pattern.compile("is ready, after .* s: (\\S+)");

    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private Process process;
    private String url;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        var command = System.getProperty("sandkasse.kommando", COMMAND).split(" ");
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        BufferedReader output = process.inputReader();
        for (String line = output.readLine(); line != null && url == null; line = url == null ? output.readLine() : line) {
            var address = ADDRESS.matcher(line);
            if (address.find()) url = address.group(1);
        }
        if (url == null) throw new IllegalStateException("The sandbox did not start");
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        control("POST", "nullstill", "{}");
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    public String url() {
        return url;
    }

    /** The ident of a person of a scenario. */
    public String plant(String scenario) throws Exception {
        return control("POST", "scenarier/" + scenario, "{}").at("/personer/0/identer/0").asText();
    }

    public JsonNode control(String method, String path, String body) throws Exception {
        var response = send(method, "/sandkasse/v1/" + path, body, List.of());
        if (response.statusCode() >= 400) throw new IllegalStateException(response.body());
        return json.readTree(response.body().isEmpty() ? "null" : response.body());
    }

    /** Asks the service as a consumer of the registry. */
    public HttpResponse<String> ask(String consumer, String method, String path, String body) throws Exception {
        var token = send("GET", "/sandkasse/v1/token/" + consumer, null, List.of()).body();
        return send(method, path, body, List.of("Authorization", "Bearer " + token));
    }

    private HttpResponse<String> send(String method, String path, String body, List<String> headers) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url + path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) request.header("Content-Type", "application/json");
        if (!headers.isEmpty()) request.headers(headers.toArray(String[]::new));
        return http.send(request.build(), BodyHandlers.ofString());
    }
}
