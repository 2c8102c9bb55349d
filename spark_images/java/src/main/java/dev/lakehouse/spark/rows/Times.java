package dev.lakehouse.spark.rows;

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
  private static final int DAYS_BEFORE_1970 = 719_468; // since the 1st of March of the year 0
  private static final long SECONDS_OF_DAY = 86_400L;

  private Times() {}

  /** Reads YYYY-MM-DD as days since 1970. */
  static int day(String text) throws Undecided {
    Undecided.unless(text.length() == DATE);
    return date(text, 1, 9999);
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
    Undecided.unless(end >= SECONDS && text.charAt(end + 3) == ':');
    long minutes = 60L * number(text, end + 1, end + 3, 0, 23) + number(text, end + 4, end + 6, 0, 59);
    long local = local(text, end, 2, 9998);
    return switch (text.charAt(end)) {
      case '+' -> local - minutes * 60 * MICROS;
      case '-' -> local + minutes * 60 * MICROS;
      default -> throw Undecided.UNDECIDED;
    };
  }

  private static int date(String text, int firstYear, int lastYear) throws Undecided {
    Undecided.unless(text.charAt(4) == '-' && text.charAt(7) == '-');
    int year = number(text, 0, 4, firstYear, lastYear);
    int month = number(text, 5, 7, 1, 12);
    int day = number(text, 8, DATE, 1, 31);
    Undecided.unless(day <= 28 || day <= YearMonth.of(year, month).lengthOfMonth());
    return daysSince1970(year, month, day);
  }

  /** Counts as if years began in March, so that the day that only leap years have is the last of one. */
  private static int daysSince1970(int year, int month, int day) {
    int years = month > 2 ? year : year - 1;
    int months = month > 2 ? month - 3 : month + 9;
    int leapDays = years / 4 - years / 100 + years / 400;
    return 365 * years + leapDays + (153 * months + 2) / 5 + day - 1 - DAYS_BEFORE_1970;
  }

  private static long local(String text, int end, int firstYear, int lastYear) throws Undecided {
    Undecided.unless(end >= SECONDS && text.charAt(10) == 'T' && text.charAt(13) == ':' && text.charAt(16) == ':');
    long days = date(text, firstYear, lastYear);
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
    Undecided.unless(text.charAt(SECONDS) == '.' && digits >= 1 && digits <= DIGITS);
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
      Undecided.unless(digit >= 0 && digit <= 9);
      number = number * 10 + digit;
    }
    Undecided.unless(number >= least && number <= most);
    return number;
  }
}
