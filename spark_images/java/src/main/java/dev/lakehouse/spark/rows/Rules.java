package dev.lakehouse.spark.rows;

import static dev.lakehouse.spark.rows.Rule.NULL;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Compiles the keywords of JSON Schema into rules.
 *
 * <p>A rule may always say that it does not know; it must never say what the reference validator does not. A keyword
 * that is not known here leaves every value to the exact check. Regular expressions are Java's already, written so that
 * a match here implies one in Python; that there is none implies nothing.
 */
final class Rules {
  private static final int MATCHED_UP_TO = 2000; // Java's matcher recurses; a long value could exhaust the stack
  private static final Rule UNKNOWN =
      value -> {
        throw Undecided.UNDECIDED;
      };

  private Rules() {}

  static Rule of(JsonNode schema) {
    if (schema.isBoolean()) {
      boolean all = schema.booleanValue();
      return value -> all;
    }
    List<Rule> rules = new ArrayList<>();
    schema.properties().forEach(each -> rules.add(keyword(each.getKey(), each.getValue(), schema)));
    return rules.size() == 1 ? rules.get(0) : all(rules);
  }

  private static Rule keyword(String name, JsonNode value, JsonNode schema) {
    double bound = reachable(value);
    return switch (name) {
      case "type" -> type(value);
      case "enum" -> any(each(value, Rules::equalTo));
      case "const" -> equalTo(value);
      case "pattern" -> ofStrings(matches(value));
      case "format" -> ofStrings(format(value));
      case "minLength" -> ofLength(bound, (length, least) -> length >= least);
      case "maxLength" -> ofLength(bound, (length, most) -> length <= most);
      case "minimum" -> ofNumbers(bound, (number, least) -> number >= least);
      case "maximum" -> ofNumbers(bound, (number, most) -> number <= most);
      case "exclusiveMinimum" -> ofNumbers(bound, (number, below) -> number > below);
      case "exclusiveMaximum" -> ofNumbers(bound, (number, above) -> number < above);
      case "multipleOf" -> multipleOf(value);
      case "allOf" -> all(each(value, Rules::of));
      case "anyOf" -> any(each(value, Rules::of));
      case "oneOf" -> one(each(value, Rules::of));
      case "not" -> not(of(value));
      case "if" -> conditional(of(value), part(schema, "then"), part(schema, "else"));
      case "then", "else" -> any -> true; // judged with "if"
      case "properties" -> byName(value, Rules::of, Members::get);
      case "required" -> required(value);
      case "additionalProperties" -> additional(value, schema.path("properties"));
      case "dependentRequired" -> byName(value, Rules::required, Rules::wholeIfThere);
      case "dependentSchemas" -> byName(value, Rules::of, Rules::wholeIfThere);
      case "propertyNames" -> propertyNames(of(value));
      case "minProperties" -> ofObjects(members -> members.size() >= bound);
      case "maxProperties" -> ofObjects(members -> members.size() <= bound);
      case "items" -> items(of(value));
      case "contains" -> contains(of(value));
      case "uniqueItems" -> value.booleanValue() ? ofArrays(Rules::isUnique) : any -> true;
      case "minItems" -> ofArrays(items -> items.length >= bound);
      case "maxItems" -> ofArrays(items -> items.length <= bound);
      default -> UNKNOWN;
    };
  }

  private interface OfObjects {
    boolean holds(Members members) throws Undecided;
  }

  private interface OfArrays {
    boolean holds(Object[] items) throws Undecided;
  }

  private interface OfStrings {
    boolean holds(String text) throws Undecided;
  }

  private interface Comparison {
    boolean holds(double found, double bound);
  }

  private static Rule ofObjects(OfObjects rule) {
    return value -> !(value instanceof Members members) || rule.holds(members);
  }

  private static Rule ofArrays(OfArrays rule) {
    return value -> !(value instanceof Object[] items) || rule.holds(items);
  }

  private static Rule ofStrings(OfStrings rule) {
    return value -> !(value instanceof String text) || rule.holds(text);
  }

  private static Rule ofLength(double bound, Comparison comparison) {
    return ofStrings(text -> comparison.holds(text.codePointCount(0, text.length()), bound));
  }

  private static Rule ofNumbers(double bound, Comparison comparison) {
    return value -> !(value instanceof Number number) || comparison.holds(number.doubleValue(), bound);
  }

  private static Rule type(JsonNode names) {
    Set<String> taken = new HashSet<>();
    if (names.isTextual()) {
      taken.add(names.textValue());
    }
    names.forEach(each -> taken.add(each.textValue()));
    boolean strings = taken.contains("string");
    boolean nulls = taken.contains("null");
    boolean truths = taken.contains("boolean");
    boolean numbers = taken.contains("number");
    boolean integers = taken.contains("integer");
    boolean objects = taken.contains("object");
    boolean arrays = taken.contains("array");
    return value -> {
      if (value instanceof String) {
        return strings;
      }
      if (value instanceof Number number) {
        return numbers || (integers && number.doubleValue() == Math.rint(number.doubleValue()));
      }
      if (value instanceof Boolean) {
        return truths;
      }
      return value == NULL ? nulls : value instanceof Members ? objects : arrays;
    };
  }

  private static Rule equalTo(JsonNode literal) {
    if (literal.isContainerNode()) {
      return value -> (value instanceof Members || value instanceof Object[]) && UNKNOWN.holds(value);
    }
    if (literal.isNumber()) {
      double wanted = literal.doubleValue();
      boolean isReachable = Math.abs(wanted) < JsonReader.EXACT_UP_TO;
      return value -> isReachable && value instanceof Number number && number.doubleValue() == wanted;
    }
    Object wanted = literal.isTextual() ? literal.textValue() : literal.isBoolean() ? literal.booleanValue() : NULL;
    return wanted::equals;
  }

  private static OfStrings matches(JsonNode expression) {
    if (!expression.isTextual()) {
      return text -> UNKNOWN.holds(text);
    }
    Pattern pattern = Pattern.compile(expression.textValue());
    return text -> text.length() <= MATCHED_UP_TO && pattern.matcher(text).find() || UNKNOWN.holds(text);
  }

  private static OfStrings format(JsonNode form) {
    return switch (form.path("name").asText()) {
      case "date-time" ->
          text -> {
            Times.moment(text);
            return true;
          };
      case "date" ->
          text -> {
            Times.day(text);
            return true;
          };
      default -> matches(form.path("shape"));
    };
  }

  /** A bound beyond all numbers compares with them as the nearest one that is still beyond them. */
  private static double reachable(JsonNode bound) {
    return Math.max(Math.min(bound.doubleValue(), JsonReader.EXACT_UP_TO), -JsonReader.EXACT_UP_TO);
  }

  /** The validator divides by fractions and takes remainders of whole numbers; so does this. */
  private static Rule multipleOf(JsonNode factor) {
    double by = factor.doubleValue();
    boolean isWhole = factor.isIntegralNumber();
    return value -> {
      if (!(value instanceof Number number)) {
        return true;
      }
      double quotient = number.doubleValue() / by;
      Undecided.unless(Math.abs(isWhole ? by : quotient) < JsonReader.EXACT_UP_TO);
      return isWhole ? number.doubleValue() % by == 0 : quotient == Math.rint(quotient);
    };
  }

  private static List<Rule> each(JsonNode nodes, Function<JsonNode, Rule> compile) {
    List<Rule> rules = new ArrayList<>();
    nodes.forEach(each -> rules.add(compile.apply(each)));
    return rules;
  }

  private static Rule part(JsonNode schema, String name) {
    return schema.has(name) ? of(schema.get(name)) : any -> true;
  }

  private static Rule all(List<Rule> rules) {
    Rule[] each = rules.toArray(Rule[]::new);
    return value -> {
      for (Rule rule : each) {
        if (!rule.holds(value)) {
          return false;
        }
      }
      return true;
    };
  }

  private static Rule any(List<Rule> rules) {
    Rule[] each = rules.toArray(Rule[]::new);
    return value -> {
      for (Rule rule : each) {
        if (rule.holds(value)) {
          return true;
        }
      }
      return false;
    };
  }

  private static Rule one(List<Rule> rules) {
    return value -> {
      int fits = 0;
      for (Rule rule : rules) {
        fits += rule.holds(value) ? 1 : 0;
      }
      return fits == 1;
    };
  }

  private static Rule not(Rule rule) {
    return value -> !rule.holds(value);
  }

  private static Rule conditional(Rule condition, Rule then, Rule otherwise) {
    return value -> condition.holds(value) ? then.holds(value) : otherwise.holds(value);
  }

  private interface Subject {
    /** Gives what the rule of a name judges, or null if there is nothing to judge. */
    Object of(Members members, String name) throws Undecided;
  }

  private static Object wholeIfThere(Members members, String name) {
    return members.has(name) ? members : null;
  }

  private static Rule byName(JsonNode nodes, Function<JsonNode, Rule> compile, Subject subject) {
    Map<String, Rule> rules = new LinkedHashMap<>();
    nodes.properties().forEach(each -> rules.put(each.getKey(), compile.apply(each.getValue())));
    return ofObjects(
        members -> {
          for (Map.Entry<String, Rule> each : rules.entrySet()) {
            Object value = subject.of(members, each.getKey());
            if (value != null && !each.getValue().holds(value)) {
              return false;
            }
          }
          return true;
        });
  }

  private static Rule required(JsonNode names) {
    return ofObjects(
        members -> {
          for (JsonNode each : names) {
            if (!members.has(each.textValue())) {
              return false;
            }
          }
          return true;
        });
  }

  private static Rule additional(JsonNode schema, JsonNode named) {
    Rule rule = of(schema);
    Rule unread = schema.isBoolean() ? rule : UNKNOWN;
    return ofObjects(
        members -> {
          for (String name : members.others()) {
            if (!named.has(name) && !unread.holds(NULL)) {
              return false;
            }
          }
          for (Map.Entry<String, Object> each : members.read().entrySet()) {
            if (!named.has(each.getKey()) && !rule.holds(each.getValue())) {
              return false;
            }
          }
          return true;
        });
  }

  private static Rule propertyNames(Rule rule) {
    return ofObjects(members -> holdsForEach(members.read().keySet(), rule) && holdsForEach(members.others(), rule));
  }

  private static Rule items(Rule rule) {
    return ofArrays(items -> holdsForEach(Arrays.asList(items), rule));
  }

  private static Rule contains(Rule rule) {
    Rule lacks = not(rule);
    return ofArrays(items -> !holdsForEach(Arrays.asList(items), lacks));
  }

  private static boolean holdsForEach(Iterable<?> values, Rule rule) throws Undecided {
    for (Object each : values) {
      if (!rule.holds(each)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isUnique(Object[] items) throws Undecided {
    Set<Object> found = new HashSet<>();
    for (Object each : items) {
      Undecided.unless(items.length <= 1 || !(each instanceof Members || each instanceof Object[]));
      found.add(each instanceof Number number ? (Object) (number.doubleValue() + 0.0) : each); // -0.0 is 0.0
    }
    return found.size() == items.length;
  }
}
