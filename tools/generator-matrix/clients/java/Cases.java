import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import klient.ApiException;
import klient.api.AvtalerApi;
import klient.api.EndringerApi;
import klient.model.Avtale;
import klient.model.Avtaleside;
import klient.model.Sok;

/** Asks in each case, and prints what was seen: a line of JSON for each. Java's two libraries have the same clients. */
public class Cases {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static String base;

    public static void main(String[] args) throws Exception {
        base = args[0];
        UUID id = UUID.fromString(args[1]);
        String etag = args[2];
        run("kjent", () -> {
            Avtale avtale = (Avtale) call(avtaler("kjent"), "hentAvtale", Map.of("avtaleId", id));
            return Map.of("avtaleId", avtale.getAvtaleId().toString(), "tiltakstype", String.valueOf(avtale.getTiltakstype()));
        });
        run("ny-verdi", () -> {
            Avtaleside side = search("ny-verdi", new Sok().antall(3));
            return Map.of("antall", side.getAvtaler().size(), "verdi", String.valueOf(side.getAvtaler().get(0).getTiltakstype()));
        });
        run("nytt-felt", () -> Map.of("antall", search("nytt-felt", new Sok().antall(3)).getAvtaler().size()));
        run("null", () -> {
            Avtale avtale = (Avtale) call(avtaler("null"), "hentAvtale", Map.of("avtaleId", id));
            return Map.of("nuller", Map.of(
                "avtaleNr", avtale.getAvtaleNr() == null,
                "bedriftNr", avtale.getBedriftNr() == null,
                "startDato", avtale.getStartDato() == null,
                "annullertTidspunkt", avtale.getAnnullertTidspunkt() == null));
        });
        run("mikrosekunder", () -> {
            Avtale avtale = (Avtale) call(avtaler("mikrosekunder"), "hentAvtale", Map.of("avtaleId", id));
            return Map.of("tid", String.valueOf(avtale.getSistEndret()));
        });
        run("304", () -> {
            try {
                call(avtaler("304"), "hentAvtale", Map.of("avtaleId", id, "ifNoneMatch", etag));
                return Map.of("status", 200);
            } catch (ApiException e) {
                return Map.of("status", e.getCode());
            }
        });
        run("problem", () -> {
            try {
                call(endringer("problem"), "hentEndringer", Map.of("etter", "x"));
                return Map.of("status", 200);
            } catch (ApiException e) {
                JsonNode problem = JSON.readTree(e.getResponseBody());
                return Map.of("status", e.getCode(), "type", problem.path("type").asText(),
                    "nyStart", problem.path("nyStart").path("eksport").asText(), "form", "an exception with the body as text");
            }
        });
        run("eksport", () -> {
            Object given = call(endringer("eksport"), "eksporterAvtaler", Map.of());
            String all = given instanceof File ? Files.readString(((File) given).toPath()) : String.valueOf(given);
            return Map.of("linjer", all.strip().split("\n").length, "form", given instanceof File ? "a file" : "a text");
        });
        run("liste", () -> Map.of("antall", search("liste", new Sok().antall(20)).getAvtaler().size()));
        System.exit(0);
    }

    private static AvtalerApi avtaler(String name) {
        return new AvtalerApi(Setup.client(base + "/" + name));
    }

    private static EndringerApi endringer(String name) {
        return new EndringerApi(Setup.client(base + "/" + name));
    }

    private static Avtaleside search(String name, Sok sok) throws Exception {
        return (Avtaleside) call(avtaler(name), "sokAvtaler", Map.of("sok", sok));
    }

    /** By the names of the parameters: v1 gets more of them, and each has a place of its own in a call. */
    private static Object call(Object api, String operation, Map<String, Object> given) throws Exception {
        Method method = Arrays.stream(api.getClass().getMethods())
            .filter(candidate -> candidate.getName().equals(operation))
            .min(Comparator.comparingInt(Method::getParameterCount))
            .orElseThrow();
        Object[] args = Arrays.stream(method.getParameters()).map(parameter -> given.get(parameter.getName())).toArray();
        try {
            return method.invoke(api, args);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        }
    }

    private static void run(String name, Callable<Map<String, Object>> ask) throws Exception {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("case", name);
        try {
            line.putAll(ask.call());
        } catch (Throwable e) {
            line.put("error", e.getCause() == null ? e.toString() : e.getCause().toString());
        }
        System.out.println(JSON.writeValueAsString(line));
    }
}
