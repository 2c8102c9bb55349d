package dev.lakehouse.spark.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimesTest {
  private static final int ROUNDS = 2000;
  private static final long FIRST = LocalDate.of(2, 1, 1).toEpochDay() * 86_400;
  private static final long SECONDS = LocalDate.of(9998, 12, 31).toEpochDay() * 86_400 - FIRST;

  @Test
  void readsWhatJavaReads() throws Undecided {
    Random chance = new Random(20261124);
    for (int round = 0; round < ROUNDS; round++) {
      LocalDateTime local = LocalDateTime.ofEpochSecond(FIRST + (long) (chance.nextDouble() * SECONDS), 0, ZoneOffset.UTC);
      local = local.plusNanos(1000L * chance.nextInt(1_000_000));
      String date = local.toLocalDate().toString();
      String text = local.format(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS"));
      String offset = String.format("%s%02d:%02d", chance.nextBoolean() ? "+" : "-", chance.nextInt(18), chance.nextInt(60));

      assertEquals(LocalDate.parse(date).toEpochDay(), Times.day(date), date);
      assertEquals(micros(local.toInstant(ZoneOffset.UTC)), Times.local(text), text);
      assertEquals(micros(OffsetDateTime.parse(text + offset).toInstant()), Times.moment(text + offset), text + offset);
      assertEquals(micros(OffsetDateTime.parse(text + "Z").toInstant()), Times.moment(text + "Z"), text);
    }
  }

  @Test
  void readsFewerDigitsAsTenths() throws Undecided {
    assertEquals(500_000, Times.moment("1970-01-01T00:00:00.5Z"));
    assertEquals(0, Times.moment("1970-01-01T00:00:00Z"));
    assertEquals(-1, Times.moment("1969-12-31T23:59:59.999999Z"));
    assertEquals(3600_000_000L, Times.moment("1970-01-01T00:00:00-01:00"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "Z", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00z",
        "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00 00:00", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "2026-01-01T-1:00:00Z"
      })
  void leavesAllElseUndecided(String text) {
    assertThrows(Undecided.class, () -> Times.moment(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2026-1-01", "2026-02-29", "0000-01-01", "2026-01-01T", "20260101", "2026/01/01"})
  void leavesWhatIsNoDateUndecided(String text) {
    assertThrows(Undecided.class, () -> Times.day(text));
  }

  private static long micros(Instant moment) {
    return moment.getEpochSecond() * 1_000_000 + moment.getNano() / 1000;
  }
}
