package dev.lakehouse.spark.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
  private static final String FIELDS =
      """
      {"kind": "struct", "members": [
        {"name": "text", "kind": "string"}, {"name": "count", "kind": "bigint"}, {"name": "size", "kind": "double"},
        {"name": "price", "kind": "decimal", "precision": 5, "scale": 2}, {"name": "on", "kind": "boolean"},
        {"name": "tags", "kind": "array", "element": {"kind": "string"}},
        {"name": "point", "kind": "struct", "members": [{"name": "x", "kind": "bigint"}]},
        {"name": "any", "kind": "json"}]}
      """;

  @Test
  void readsValuesByTheirFieldsAndNamesTheOthers() throws Exception {
    Members row =
        read(" {\"count\": 1.0, \"text\": \"\\u00e9\", \"size\": 2, \"on\": false, \"more\": [{}], \"any\": null}\n");

    assertEquals(1L, row.get("count"));
    assertEquals("é", row.get("text"));
    assertEquals(2.0, row.get("size"));
    assertEquals(false, row.get("on"));
    assertEquals(Rule.NULL, row.get("any"));
    assertEquals(null, row.get("tags"));
    assertEquals(Set.of("more"), row.others());
    assertThrows(Undecided.class, () -> row.get("more"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", " ", "null", "5", "[]", "{}{}", "{} x", "{}]", "{\"text\": 5}", "{\"text\": \"\\ud83d\"}",
        "{\"text\": \"\\ude00\\ud83d\"}", "{\"text\": \"a\", \"text\": \"a\"}", "{\"count\": 9007199254740992}",
        "{\"count\": 1.5}", "{\"count\": \"1\"}", "{\"count\": 1e400}", "{\"size\": NaN}", "{\"size\": 01}",
        "{\"size\": +1}", "{\"size\": .5}", "{\"on\": 1}", "{\"tags\": [\"a\", 1]}", "{\"tags\": \"a\"}",
        "{\"point\": {\"x\": 1, \"y\": 2}}", "{\"point\": []}", "{\"any\": {}}", "{'text': 'a'}", "{\"text\": \"a\",}",
        "{\"text\": \"a\tb\"}", "{\"text\"}", "{\"text\": \"a\"", "/**/{}", "\ufeff{}", "{\"price\": 1e-200}"
      })
  void isNotSureOfTheRest(String text) {
    try {
      read(text);
    } catch (IOException | Undecided doubt) {
      return;
    }
    throw new AssertionError(text + " was read");
  }

  @Test
  void takesCellsForWhatTheirFieldsAre() throws Exception {
    String cells =
        "{\"count\": \"-7\", \"size\": \"1e2\", \"on\": \"true\", \"text\": \"5\", \"price\": \"1.50\"}";
    Members row = JsonReader.row(text(cells), fields(), true);

    assertEquals(-7L, row.get("count"));
    assertEquals(100.0, row.get("size"));
    assertEquals(true, row.get("on"));
    assertEquals("5", row.get("text"));
    assertEquals(new BigDecimal("1.50"), row.get("price"));
    for (String other : List.of("", " 1", "1 ", "1,5", "0x1", "+1", "1d", "NaN", "TRUE", "yes")) {
      for (String name : List.of("count", "size", "on", "price")) {
        String cell = String.format("{\"%s\": \"%s\"}", name, other);
        assertThrows(Undecided.class, () -> JsonReader.row(text(cell), fields(), true), cell);
      }
    }
  }

  @Test
  void looksForNoOtherEncoding() {
    for (String name : List.of("UTF-16BE", "UTF-16LE", "UTF-32BE", "UTF-32LE")) {
      byte[] bytes = "{\"text\": \"a\"}".getBytes(Charset.forName(name));
      assertThrows(Undecided.class, () -> JsonReader.row(UTF8String.fromBytes(bytes), fields(), false), name);
    }
  }

  @Test
  void refusesWhatIsTooDeepAndNumbersThatAreTooLong() throws Exception {
    assertEquals(1, read("{\"more\": " + "9".repeat(1000) + "}").size());
    assertThrows(IOException.class, () -> read("{\"more\": " + "9".repeat(1001) + "}"));
    assertThrows(IOException.class, () -> read("{\"more\": " + "[".repeat(300) + "]".repeat(300) + "}"));
  }

  @Test
  void namesTheMembersOfARowThatItIsNotSureOf() throws Exception {
    assertEquals(Set.of("text", "more"), JsonReader.names(text("{\"text\": 5, \"more\": {\"text\": 1}, \"text\": 6}")));
    assertThrows(Undecided.class, () -> JsonReader.names(text("[{\"text\": 5}]")));
    assertThrows(IOException.class, () -> JsonReader.names(text("{\"text\": 5} x")));
  }

  private static Members read(String text) throws IOException, Undecided {
    return JsonReader.row(text(text), fields(), false);
  }

  private static UTF8String text(String text) {
    return UTF8String.fromBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Field fields() throws IOException {
    return Field.of(new ObjectMapper().readTree(FIELDS));
  }
}
