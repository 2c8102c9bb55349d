package dev.lakehouse.spark;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proof that a bucket honours conditional writes, taken once per bucket and JVM.
 *
 * <p>A store (or a proxy before it) that ignores `If-None-Match` answers 200 to both of two racing commits, and one is
 * lost without a word. So before the first commit the same object is created twice: the second must be refused.
 */
final class ConditionalWrites {
  private static final Logger LOG = LoggerFactory.getLogger(ConditionalWrites.class);
  private static final Set<String> PROVEN = ConcurrentHashMap.newKeySet();

  private ConditionalWrites() {}

  /**
   * @param directory the log's directory: the one place this driver is known to be allowed to write to. The name of the
   *     probe begins with a dot, which sorts before every version, so no reader of the log ever sees it.
   */
  static void require(FileSystem fs, Path directory) throws IOException {
    String bucket = fs.getUri() + " at " + fs.getConf().get("fs.s3a.endpoint", "");
    if (PROVEN.contains(bucket)) {
      return;
    }
    Path path = fs.makeQualified(new Path(directory, ".lakehouse-probe-" + UUID.randomUUID()));
    boolean honoured = secondWriteIsRefused(new LogFile(fs, path));
    delete(fs, path);
    if (!honoured) {
      throw new IOException(refusal(fs.getUri().toString()));
    }
    PROVEN.add(bucket);
  }

  private static boolean secondWriteIsRefused(LogFile probe) throws IOException {
    probe.create(line("first"));
    try {
      probe.create(line("second"));
      return false;
    } catch (FileAlreadyExistsException refused) {
      return true;
    }
  }

  private static Iterator<String> line(String text) {
    return List.of(text).iterator();
  }

  private static void delete(FileSystem fs, Path path) {
    try {
      fs.delete(path, false);
    } catch (IOException e) {
      LOG.warn("{}: the probe object could not be deleted; it is harmless and may be removed by hand ({})", path, e.toString());
    }
  }

  static String refusal(String bucket) {
    return bucket + ": the object store ignores `If-None-Match: *`, so two drivers that write one Delta table would"
        + " overwrite each other's commits. Nothing was written. Use a store that honours conditional writes and let no"
        + " proxy before it drop the header; or, only if a single driver at a time ever writes to this bucket, set"
        + " spark.delta.logStore.s3a.impl (and .s3.impl) to io.delta.storage.S3SingleDriverLogStore.";
  }
}
