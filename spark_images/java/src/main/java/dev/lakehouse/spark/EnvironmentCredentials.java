package dev.lakehouse.spark;

import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

/**
 * Credentials of one bucket, from the environment of the process.
 *
 * <p>A Secret reaches a pod as environment variables, and a job may need several (source, lake, snapshots), so the
 * variables carry a prefix: `LANDING_ACCESS_KEY_ID`, `LANDING_SECRET_ACCESS_KEY`, optionally `LANDING_SESSION_TOKEN`.
 * The configuration names the prefix only, so no secret is ever in a Spark or Hadoop configuration:
 *
 * <pre>
 * fs.s3a.bucket.landing.aws.credentials.provider=dev.lakehouse.spark.EnvironmentCredentials
 * fs.s3a.bucket.landing.lakehouse.credentials.prefix=LANDING
 * </pre>
 *
 * <p>A process cannot change its environment. What a job has read itself, from a service that keeps secrets, it gives
 * here, and it stays in the memory of this process.
 */
public final class EnvironmentCredentials implements AwsCredentialsProvider {
  static final String PREFIX = "fs.s3a.lakehouse.credentials.prefix";
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private static final Map<String, String> GIVEN = new ConcurrentHashMap<>();

  private final AwsCredentials credentials;

  /** Called by S3A, with the options of the bucket already merged into {@code conf}. */
  public EnvironmentCredentials(URI bucket, Configuration conf) throws AccessDeniedException {
    this(bucket, conf.getTrimmed(PREFIX, ""), variables());
  }

  EnvironmentCredentials(URI bucket, String prefix, Map<String, String> environment) throws AccessDeniedException {
    if (!VARIABLE.matcher(prefix).matches()) {
      throw new AccessDeniedException(
          String.valueOf(bucket),
          null,
          PREFIX + " is '" + prefix + "'; set it to the prefix of the environment variables that hold the credentials,"
              + " letters, digits and underscores");
    }
    Variables variables = new Variables(bucket, prefix, environment);
    String key = variables.required("_ACCESS_KEY_ID");
    String secret = variables.required("_SECRET_ACCESS_KEY");
    String token = variables.optional("_SESSION_TOKEN");
    credentials = token.isEmpty()
        ? AwsBasicCredentials.create(key, secret)
        : AwsSessionCredentials.create(key, secret, token);
  }

  /** Sets a variable for this process, before the one of its environment. */
  public static void give(String variable, String value) {
    GIVEN.put(variable, value);
  }

  private static Map<String, String> variables() {
    Map<String, String> all = new HashMap<>(System.getenv());
    all.putAll(GIVEN);
    return all;
  }

  @Override
  public AwsCredentials resolveCredentials() {
    return credentials;
  }

  private record Variables(URI bucket, String prefix, Map<String, String> environment) {
    String optional(String suffix) {
      return environment.getOrDefault(prefix + suffix, "").strip();
    }

    String required(String suffix) throws AccessDeniedException {
      String value = optional(suffix);
      if (value.isEmpty()) {
        throw new AccessDeniedException(
            String.valueOf(bucket),
            null,
            "the environment variable " + prefix + suffix + " is missing or empty; check that the Secret named as"
                + " credentials of this store exists and has that key");
      }
      return value;
    }
  }
}
