package dev.lakehouse.spark.rows;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads one text as one JSON object, guided by the fields of a contract.
 *
 * <p>What a field's column could not keep exactly, and what Python might read otherwise, is undecided. An IOException
 * says that the text is no JSON, or has more of something than is reasonable.
 */
final class JsonReader {
  static final double EXACT_UP_TO = 0x1p53;

  private static final int DEEPEST = 200;
  private static final int LONGEST_NUMBER = 1000; // Python reads all numbers, and refuses the very long ones
  private static final int LONGEST_WHOLE = 17;
  private static final int MOST_DIGITS = 100;
  private static final int FEW = 8;
  private static final int PREFIX = 4;
  private static final Pattern NUMBER =
      Pattern.compile("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?");
  // names may be as many as there are rows, so they are not kept for ever
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(DEEPEST).maxNumberLength(LONGEST_NUMBER).build())
          .build();

  private final JsonParser parser;
  private final boolean cells;
  private final boolean escaped;

  private JsonReader(JsonParser parser, boolean cells, boolean escaped) {
    this.parser = parser;
    this.cells = cells;
    this.escaped = escaped;
  }

  /**
   * Reads the members that the row's fields name, and the names of the others.
   *
   * @param cells whether the members are CSV cells: strings that stand for numbers, true and false where a field is one
   */
  static Members row(UTF8String text, Field row, boolean cells) throws IOException, Undecided {
    byte[] bytes = object(text);
    try (JsonParser parser = JSON.createParser(bytes)) {
      parser.nextToken();
      Members members = new JsonReader(parser, cells, isEscaped(bytes)).struct(row, true);
      requireEnd(parser);
      return members;
    }
  }

  /** Reads only the names of the members. */
  static Set<String> names(UTF8String text) throws IOException, Undecided {
    byte[] bytes = object(text);
    try (JsonParser parser = JSON.createParser(bytes)) {
      parser.nextToken();
      Set<String> names = new LinkedHashSet<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        names.add(parser.currentName());
        parser.nextToken();
        parser.skipChildren();
      }
      requireEnd(parser);
      return names;
    }
  }

  /** Gives the bytes of a text that begins as an object in UTF-8; the parser would look for other encodings too. */
  private static byte[] object(UTF8String text) throws Undecided {
    byte[] bytes = text.getBytes();
    int place = 0;
    while (place < bytes.length && " \t\r\n".indexOf(bytes[place]) >= 0) {
      place++;
    }
    boolean found = place < bytes.length && bytes[place] == '{';
    for (int first = 0; first < Math.min(bytes.length, PREFIX); first++) {
      found &= bytes[first] != 0;
    }
    Undecided.unless(found);
    return bytes;
  }

  /** Tells whether a character may be written by its number. */
  private static boolean isEscaped(byte[] bytes) {
    for (int place = 1; place < bytes.length; place++) {
      if (bytes[place] == 'u' && bytes[place - 1] == '\\') {
        return true;
      }
    }
    return false;
  }

  private static void requireEnd(JsonParser parser) throws IOException, Undecided {
    Undecided.unless(parser.nextToken() == null);
  }

  private Members struct(Field field, boolean isRow) throws IOException, Undecided {
    Members found = Members.of(field.members().size());
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      Field member = field.members().get(name);
      JsonToken token = parser.nextToken();
      if (member != null) {
        put(found, name, value(member, token));
      } else {
        Undecided.unless(isRow || token == JsonToken.VALUE_NULL); // the exact check names what no column keeps
        found.others().add(text(name));
        parser.skipChildren();
      }
    }
    return found;
  }

  private Members map(Field field) throws IOException, Undecided {
    Members found = Members.of(FEW);
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      put(found, text(name), value(field.element(), parser.nextToken()));
    }
    return found;
  }

  private static void put(Members members, String name, Object value) throws Undecided {
    Undecided.unless(members.read().put(name, value) == null); // a name that is there twice
  }

  private Object[] list(Field field) throws IOException, Undecided {
    List<Object> found = new ArrayList<>();
    for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
      found.add(value(field.element(), token));
    }
    return found.toArray();
  }

  private Object value(Field field, JsonToken token) throws IOException, Undecided {
    if (token == JsonToken.VALUE_NULL) {
      return Rule.NULL;
    }
    return switch (field.kind()) {
      case STRING, TIMESTAMP, TIMESTAMP_NTZ, DATE -> string(token);
      case BIGINT -> integer(digits(token));
      case DOUBLE -> number(digits(token));
      case DECIMAL -> decimal(digits(token));
      case BOOLEAN -> truth(token);
      case STRUCT -> {
        Undecided.unless(token == JsonToken.START_OBJECT);
        yield struct(field, false);
      }
      case MAP -> {
        Undecided.unless(token == JsonToken.START_OBJECT);
        yield map(field);
      }
      case ARRAY -> {
        Undecided.unless(token == JsonToken.START_ARRAY);
        yield list(field);
      }
      case JSON -> throw Undecided.UNDECIDED;
    };
  }

  private String string(JsonToken token) throws IOException, Undecided {
    Undecided.unless(token == JsonToken.VALUE_STRING);
    return text(parser.getText());
  }

  private Boolean truth(JsonToken token) throws IOException, Undecided {
    Undecided.unless(cells ? token == JsonToken.VALUE_STRING : token.isBoolean());
    String text = parser.getText();
    Undecided.unless(text.equals("true") || text.equals("false"));
    return text.equals("true");
  }

  private String digits(JsonToken token) throws IOException, Undecided {
    Undecided.unless(cells ? token == JsonToken.VALUE_STRING : token.isNumeric());
    String text = parser.getText();
    Undecided.unless(!cells || NUMBER.matcher(text).matches());
    return text;
  }

  private static long integer(String digits) throws Undecided {
    if (!isWhole(digits)) {
      double value = number(digits);
      Undecided.unless(value == Math.rint(value));
      return (long) value;
    }
    Undecided.unless(digits.length() <= LONGEST_WHOLE);
    long value = Long.parseLong(digits);
    Undecided.unless(Math.abs((double) value) < EXACT_UP_TO);
    return value;
  }

  private static double number(String digits) throws Undecided {
    double value = isWhole(digits) ? integer(digits) : Double.parseDouble(digits);
    Undecided.unless(Math.abs(value) < EXACT_UP_TO);
    return value;
  }

  private static boolean isWhole(String digits) {
    return digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('E') < 0;
  }

  private static BigDecimal decimal(String digits) throws Undecided {
    number(digits);
    Undecided.unless(digits.length() <= MOST_DIGITS);
    BigDecimal value = new BigDecimal(digits);
    Undecided.unless(Math.abs(value.scale()) <= MOST_DIGITS);
    return value;
  }

  /** Gives a string that is a text: escapes can write half a character, which no column keeps. */
  private String text(String string) throws Undecided {
    if (escaped) {
      for (int place = 0; place < string.length(); place++) {
        if (Character.isSurrogate(string.charAt(place))) {
          Undecided.unless(place + 1 < string.length());
          Undecided.unless(Character.isSurrogatePair(string.charAt(place), string.charAt(place + 1)));
          place++;
        }
      }
    }
    return string;
  }
}
