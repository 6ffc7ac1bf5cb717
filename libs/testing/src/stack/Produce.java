import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Does what the lines of its input say, with Kafka's own producer; see java-producer.ts. */
public class Produce {
  public static void main(String[] args) throws Exception {
    String topic = args[1];
    KafkaProducer<String, String> producer = null;
    Future<?> last = null;
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] part = line.split("\t", -1);
      switch (part[0]) {
        case "producer" -> {
          if (producer != null) producer.close();
          if (last != null) last.get();
          producer = create(args[0], part[1], part[2]);
        }
        case "begin" -> producer.beginTransaction();
        case "commit" -> producer.commitTransaction();
        case "abort" -> {
          producer.flush();
          producer.abortTransaction();
        }
        case "send" -> {
          String value = part[4].isEmpty() ? null : part[4];
          for (int n = Integer.parseInt(part[1]); n > 0; n--) {
            last = producer.send(new ProducerRecord<>(topic, Integer.parseInt(part[2]), part[3], value));
          }
        }
        case "done" -> {
          if (producer != null) producer.close();
          producer = null;
          if (last != null) last.get();
          System.out.println("done");
        }
        default -> throw new IllegalArgumentException(part[0]);
      }
    }
  }

  private static KafkaProducer<String, String> create(String brokers, String codec, String transactionalId) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("compression.type", codec);
    // Everything that is sent one after the other becomes one batch.
    settings.put("batch.size", "33554432");
    settings.put("linger.ms", "30000");
    settings.put("max.request.size", "33554432");
    settings.put("buffer.memory", "134217728");
    if (!transactionalId.isEmpty()) settings.put("transactional.id", transactionalId);
    KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    if (!transactionalId.isEmpty()) producer.initTransactions();
    return producer;
  }
}
