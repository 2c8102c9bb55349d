package dev.lakehouse.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be said without an object store; the rest is tested against one. */
@DisplayName("The conditional log store")
class S3ConditionalLogStoreTest {
  private final Configuration conf = new Configuration();
  private final S3ConditionalLogStore store = new S3ConditionalLogStore(conf);
  @TempDir java.nio.file.Path log;

  @BeforeEach
  void localFilesAreNotServedFromACache() {
    conf.setBoolean("fs.file.impl.disable.cache", true);
  }

  @Test
  @DisplayName("refuses a file system without conditional create and says what to do")
  void needsConditionalCreate() {
    var error = assertThrows(
        IOException.class, () -> store.write(file("00000000000000000000.json"), actions("{}"), false, conf));
    assertTrue(error.getMessage().contains("no conditional create; map the scheme to S3A"), error.getMessage());
    assertFalse(Files.exists(log.resolve("00000000000000000000.json")));
  }

  @Test
  @DisplayName("overwrites _last_checkpoint, one action a line")
  void overwrites() throws IOException {
    store.write(file("_last_checkpoint"), actions("{\"version\":10}"), true, conf);
    store.write(file("_last_checkpoint"), actions("{\"version\":20}", "{}"), true, conf);
    assertEquals("{\"version\":20}\n{}\n", Files.readString(log.resolve("_last_checkpoint")));
  }

  @Test
  @DisplayName("lists from a version on, sorted by name, without the probe")
  void lists() throws IOException {
    for (String name : List.of("00000000000000000002.json", "00000000000000000010.json",
        "00000000000000000001.json", "00000000000000000000.json", ".lakehouse-probe-1")) {
      Files.writeString(log.resolve(name), "{}");
    }
    var names = new ArrayList<String>();
    store.listFrom(file("00000000000000000001.json"), conf).forEachRemaining(s -> names.add(s.getPath().getName()));
    assertEquals(
        List.of("00000000000000000001.json", "00000000000000000002.json", "00000000000000000010.json"), names);
  }

  @Test
  @DisplayName("never shows a part of a commit")
  void whole() {
    assertFalse(store.isPartialWriteVisible(file("00000000000000000000.json"), conf));
  }

  @Test
  @DisplayName("explains what a store that ignores the condition means and what to do")
  void refusal() {
    String message = ConditionalWrites.refusal("s3a://lake");
    assertTrue(message.startsWith("s3a://lake: the object store ignores `If-None-Match: *`"), message);
    assertTrue(message.contains("io.delta.storage.S3SingleDriverLogStore"), message);
  }

  private Path file(String name) {
    return new Path(log.resolve(name).toUri());
  }

  private static Iterator<String> actions(String... lines) {
    return List.of(lines).iterator();
  }
}
