package dev.lakehouse.spark.rows;

/** What is asked of a row is not known for sure here; the exact check decides. It is no error, so it has no trace. */
final class Undecided extends Exception {
  private static final long serialVersionUID = 1L;

  static final Undecided UNDECIDED = new Undecided();

  /** Goes on only with what is known for sure. */
  static void unless(boolean known) throws Undecided {
    if (!known) {
      throw UNDECIDED;
    }
  }

  private Undecided() {
    super("left to the exact check", null, false, false);
  }
}
