package dev.lakehouse.spark.rows;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A property of a contract and the kind of column it becomes, or such a part of one.
 *
 * <p>A struct has members by name; an array and a map have the element that all their values are.
 */
record Field(Kind kind, int precision, int scale, Map<String, Field> members, Field element) {

  /** The kinds of columns, by the names that contracts give them. */
  enum Kind {
    STRING,
    TIMESTAMP,
    TIMESTAMP_NTZ,
    DATE,
    BIGINT,
    DOUBLE,
    DECIMAL,
    BOOLEAN,
    STRUCT,
    ARRAY,
    MAP,
    JSON
  }

  static Field of(JsonNode node) {
    Map<String, Field> members = new LinkedHashMap<>();
    for (JsonNode each : node.path("members")) {
      members.put(each.get("name").textValue(), of(each));
    }
    return new Field(
        Kind.valueOf(node.get("kind").textValue().toUpperCase(Locale.ROOT)),
        node.path("precision").intValue(),
        node.path("scale").intValue(),
        members,
        node.has("element") ? of(node.get("element")) : null);
  }
}
