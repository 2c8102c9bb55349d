package dev.lakehouse.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

@DisplayName("Credentials from the environment")
class EnvironmentCredentialsTest {
  private static final URI BUCKET = URI.create("s3a://landing");
  private static final Map<String, String> PAIR =
      Map.of("LANDING_ACCESS_KEY_ID", "key", "LANDING_SECRET_ACCESS_KEY", "s3cr3t");

  @Test
  @DisplayName("a key and a secret give basic credentials")
  void basic() throws Exception {
    var credentials = new EnvironmentCredentials(BUCKET, "LANDING", PAIR).resolveCredentials();
    assertEquals(AwsBasicCredentials.create("key", "s3cr3t"), credentials);
  }

  @Test
  @DisplayName("a session token gives session credentials")
  void session() throws Exception {
    var environment = Map.of("A_ACCESS_KEY_ID", "k", "A_SECRET_ACCESS_KEY", "s", "A_SESSION_TOKEN", "t");
    var credentials = new EnvironmentCredentials(BUCKET, "A", environment).resolveCredentials();
    assertEquals("t", assertInstanceOf(AwsSessionCredentials.class, credentials).sessionToken());
  }

  @Test
  @DisplayName("the newline that often ends a value in a Secret is not part of it")
  void stripped() throws Exception {
    var environment = Map.of("A_ACCESS_KEY_ID", "k\n", "A_SECRET_ACCESS_KEY", "s\n");
    var credentials = new EnvironmentCredentials(BUCKET, "A", environment).resolveCredentials();
    assertEquals("s", credentials.secretAccessKey());
  }

  @ParameterizedTest(name = "a missing {0} is named, with the bucket")
  @ValueSource(strings = {"LANDING_ACCESS_KEY_ID", "LANDING_SECRET_ACCESS_KEY"})
  void missing(String variable) {
    var environment = new java.util.HashMap<>(PAIR);
    environment.put(variable, " ");
    var error = assertThrows(
        AccessDeniedException.class, () -> new EnvironmentCredentials(BUCKET, "LANDING", environment));
    assertTrue(error.getMessage().contains(variable + " is missing"), error.getMessage());
    assertTrue(error.getMessage().contains("s3a://landing"), error.getMessage());
    assertFalse(error.getMessage().contains("s3cr3t"), error.getMessage());
  }

  @ParameterizedTest(name = "the prefix \"{0}\" is refused with the name of the option")
  @ValueSource(strings = {"", "my-secret", "1A"})
  void badPrefix(String prefix) {
    var error = assertThrows(AccessDeniedException.class, () -> new EnvironmentCredentials(BUCKET, prefix, PAIR));
    assertTrue(error.getMessage().contains(EnvironmentCredentials.PREFIX), error.getMessage());
  }

  @Test
  @DisplayName("the constructor that S3A calls reads the prefix from the configuration")
  void fromConfiguration() {
    var conf = new Configuration(false);
    conf.set(EnvironmentCredentials.PREFIX, "SURELY_NOT_SET");
    var error = assertThrows(AccessDeniedException.class, () -> new EnvironmentCredentials(BUCKET, conf));
    assertTrue(error.getMessage().contains("SURELY_NOT_SET_ACCESS_KEY_ID"), error.getMessage());
  }

  @Test
  @DisplayName("what the job gives goes before the environment of the process")
  void given() throws Exception {
    EnvironmentCredentials.give("GIVEN_ACCESS_KEY_ID", "k");
    EnvironmentCredentials.give("GIVEN_SECRET_ACCESS_KEY", "s");
    var conf = new Configuration(false);
    conf.set(EnvironmentCredentials.PREFIX, "GIVEN");
    assertEquals(
        AwsBasicCredentials.create("k", "s"), new EnvironmentCredentials(BUCKET, conf).resolveCredentials());
  }
}
