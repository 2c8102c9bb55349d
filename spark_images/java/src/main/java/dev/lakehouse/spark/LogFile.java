package dev.lakehouse.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One object of a Delta log, and the two ways to write it. */
final class LogFile {
  private static final Logger LOG = LoggerFactory.getLogger(LogFile.class);

  private final FileSystem fs;
  private final Path path;

  LogFile(FileSystem fs, Path path) {
    this.fs = fs;
    this.path = path;
  }

  /** Writes the object whether or not it exists. */
  void replace(Iterator<String> lines) throws IOException {
    FSDataOutputStream stream = fs.create(path, true);
    send(stream, lines);
    stream.close();
  }

  /** Writes the object only if it does not exist; see {@link S3ConditionalLogStore#write} for what it throws. */
  void create(Iterator<String> lines) throws IOException {
    FSDataOutputStream stream = openExclusively();
    byte[] digest = send(stream, lines);
    try {
      stream.close();
    } catch (IOException failure) {
      settle(failure, digest);
    }
  }

  /**
   * Opens the object so that its upload carries the condition. `overwrite(true)` only says that S3A shall not look
   * beforehand: what it would see can be out of date by the time of the upload.
   */
  private FSDataOutputStream openExclusively() throws IOException {
    try {
      FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(path);
      builder.overwrite(true);
      builder.must(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
      return builder.build();
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw new IOException(
          path + ": " + fs.getClass().getName() + " has no conditional create; map the scheme to S3A"
              + " (fs." + path.toUri().getScheme() + ".impl=org.apache.hadoop.fs.s3a.S3AFileSystem)", e);
    }
  }

  /** Sends every line and returns the digest of what was sent. The caller closes the stream, which publishes the object. */
  private static byte[] send(FSDataOutputStream stream, Iterator<String> lines) throws IOException {
    MessageDigest digest = sha256();
    OutputStream out = new DigestOutputStream(stream, digest);
    try {
      while (lines.hasNext()) {
        out.write((lines.next() + "\n").getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException | RuntimeException | Error e) {
      stream.abort(); // a close would publish the part of the file that was sent so far
      throw e;
    }
    return digest.digest();
  }

  /**
   * Decides what a failed upload means by what is in the store now.
   *
   * <p>An upload can succeed and its answer be lost. The client then retries, meets its own object and is refused
   * (412); or it runs out of retries and reports the lost connection. So a failure alone says nothing: if the object
   * holds what was sent, this writer wrote it.
   *
   * <p>The same bytes mean the same writer, because Delta begins a commit with a commitInfo that carries a random
   * `txnId`, and every added file has a random name. Where both are absent (a commit of table properties, with
   * commitInfo switched off) two writers of the same bytes ask for the same state, and it holds after either of them.
   */
  private void settle(IOException failure, byte[] sent) throws IOException {
    byte[] found;
    try {
      found = digestInStore();
    } catch (FileNotFoundException absent) {
      throw failure;
    } catch (IOException unreadable) {
      failure.addSuppressed(unreadable);
      throw failure;
    }
    if (MessageDigest.isEqual(found, sent)) {
      LOG.info("{}: written by this driver; the answer to its upload was lost ({})", path, failure.toString());
      return;
    }
    FileAlreadyExistsException conflict = new FileAlreadyExistsException(path.toString());
    conflict.initCause(failure);
    throw conflict;
  }

  private byte[] digestInStore() throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(fs.open(path), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return digest.digest();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
