package dev.lakehouse.spark;

import io.delta.storage.S3SingleDriverLogStore;
import java.io.IOException;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A Delta log store for S3 under which any number of drivers may write one table, with no other service beside the bucket.
 *
 * <p>A commit is created by a conditional PUT ({@code If-None-Match: *}): the object store itself decides which of two
 * writers owns a version, and the other one gets {@link java.nio.file.FileAlreadyExistsException}, which Delta answers by
 * checking for a logical conflict and committing the next version. Reading and listing (sorted by name) are those of
 * Delta's own store for S3.
 */
public final class S3ConditionalLogStore extends S3SingleDriverLogStore {

  public S3ConditionalLogStore(Configuration hadoopConf) {
    super(hadoopConf);
  }

  /**
   * Writes one file of the log, one action a line.
   *
   * @param overwrite true for files that point at newest state (`_last_checkpoint`); false for commits, which exist once
   * @throws java.nio.file.FileAlreadyExistsException another writer owns this version
   * @throws IOException nothing is known to be written, or the store does not honour conditional writes
   */
  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf)
      throws IOException {
    FileSystem fs = path.getFileSystem(hadoopConf);
    LogFile file = new LogFile(fs, fs.makeQualified(path));
    if (overwrite) {
      file.replace(actions);
      return;
    }
    ConditionalWrites.require(fs, path.getParent());
    file.create(actions);
  }

  /** An object of S3 becomes visible whole, when its upload completes. */
  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration hadoopConf) {
    return false;
  }
}
