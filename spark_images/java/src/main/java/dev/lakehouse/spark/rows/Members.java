package dev.lakehouse.spark.rows;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** An object: the values of the members that are read, by name, and the names of those that are not. */
record Members(Map<String, Object> read, Set<String> others) {

  /** Makes an object without members, with room for so many. */
  static Members of(int many) {
    return new Members(new LinkedHashMap<>(2 * many), new LinkedHashSet<>());
  }

  boolean has(String name) {
    return read.containsKey(name) || others.contains(name);
  }

  /** Gives a member's value, or null if it has none; undecided, if it was not read. */
  Object get(String name) throws Undecided {
    Object value = read.get(name);
    Undecided.unless(value != null || !others.contains(name));
    return value;
  }

  int size() {
    return read.size() + others.size();
  }
}
