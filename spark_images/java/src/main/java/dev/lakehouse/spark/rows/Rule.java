package dev.lakehouse.spark.rows;

/**
 * What a schema demands of a value.
 *
 * <p>Values are Boolean, String, Long, Double, BigDecimal, Object[] of values, Members, and {@link #NULL}; numbers lie
 * between -2^53 and 2^53, so that arithmetic with them is the same in Java and in Python.
 */
@FunctionalInterface
interface Rule {
  Object NULL = new Object();

  /** Tells whether a value surely satisfies the rule (true) or surely does not (false); undecided, if neither. */
  boolean holds(Object value) throws Undecided;
}
