package dev.lakehouse.spark.rows;

import java.time.LocalDate;
import java.time.YearMonth;

/**
 * Dates and times in the one form of each that RFC 3339, Python and Spark read alike.
 *
 * <p>Everything else is undecided: years that an offset could lead out of the calendar, leap seconds, more than six
 * digits of a second.
 */
final class Times {
  private static final int DATE = "2026-01-01".length();
  private static final int SECONDS = "2026-01-01T00:00:00".length();
  private static final int DIGITS = 6;
  private static final int OFFSET = "+00:00".length();
  private static final long MICROS = 1_000_000L;
  private static final long SECONDS_OF_DAY = 86_400L;

  private Times() {}

  /** Reads YYYY-MM-DD as days since 1970. */
  static int day(String text) throws Undecided {
    return day(text, text.length(), 1, 9999);
  }

  /** Reads YYYY-MM-DDThh:mm:ss.ffffff without a zone as microseconds since 1970. */
  static long local(String text) throws Undecided {
    return local(text, text.length(), 1, 9999);
  }

  /** Reads such a time followed by Z or an offset as microseconds since 1970 in UTC. */
  static long moment(String text) throws Undecided {
    int last = text.length() - 1;
    if (last > 0 && text.charAt(last) == 'Z') {
      return local(text, last, 2, 9998);
    }
    int end = text.length() - OFFSET;
    if (end < SECONDS || text.charAt(end + 3) != ':') {
      throw Undecided.UNDECIDED;
    }
    long minutes = 60L * number(text, end + 1, end + 3, 0, 23) + number(text, end + 4, end + 6, 0, 59);
    long local = local(text, end, 2, 9998);
    return switch (text.charAt(end)) {
      case '+' -> local - minutes * 60 * MICROS;
      case '-' -> local + minutes * 60 * MICROS;
      default -> throw Undecided.UNDECIDED;
    };
  }

  private static int day(String text, int end, int firstYear, int lastYear) throws Undecided {
    if (end != DATE || text.charAt(4) != '-' || text.charAt(7) != '-') {
      throw Undecided.UNDECIDED;
    }
    int year = number(text, 0, 4, firstYear, lastYear);
    int month = number(text, 5, 7, 1, 12);
    int day = number(text, 8, 10, 1, YearMonth.of(year, month).lengthOfMonth());
    return (int) LocalDate.of(year, month, day).toEpochDay();
  }

  private static long local(String text, int end, int firstYear, int lastYear) throws Undecided {
    if (end < SECONDS || text.charAt(10) != 'T' || text.charAt(13) != ':' || text.charAt(16) != ':') {
      throw Undecided.UNDECIDED;
    }
    long days = day(text.substring(0, DATE), DATE, firstYear, lastYear);
    long hours = number(text, 11, 13, 0, 23);
    long minutes = number(text, 14, 16, 0, 59);
    long seconds = number(text, 17, SECONDS, 0, 59);
    return (days * SECONDS_OF_DAY + (hours * 60 + minutes) * 60 + seconds) * MICROS + fraction(text, end);
  }

  private static long fraction(String text, int end) throws Undecided {
    if (end == SECONDS) {
      return 0;
    }
    int digits = end - SECONDS - 1;
    if (text.charAt(SECONDS) != '.' || digits < 1 || digits > DIGITS) {
      throw Undecided.UNDECIDED;
    }
    long micros = number(text, SECONDS + 1, end, 0, 999_999);
    for (int missing = digits; missing < DIGITS; missing++) {
      micros *= 10;
    }
    return micros;
  }

  private static int number(String text, int begin, int end, int least, int most) throws Undecided {
    int number = 0;
    for (int place = begin; place < end; place++) {
      int digit = text.charAt(place) - '0';
      if (digit < 0 || digit > 9) {
        throw Undecided.UNDECIDED;
      }
      number = number * 10 + digit;
    }
    if (number < least || number > most) {
      throw Undecided.UNDECIDED;
    }
    return number;
  }
}
