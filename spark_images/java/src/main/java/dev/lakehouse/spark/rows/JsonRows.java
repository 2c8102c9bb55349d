package dev.lakehouse.spark.rows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.objects.Invoke;
import org.apache.spark.sql.catalyst.util.ArrayBasedMapData;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.classic.ExpressionUtils;
import org.apache.spark.sql.types.AbstractDataType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.ObjectType;
import org.apache.spark.unsafe.types.UTF8String;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Rows of JSON text, read and judged in one pass.
 *
 * <p>Gives a struct of four: whether the row surely satisfies its contract and is kept without loss; the names that the
 * contract lacks; the contract's names that the row lacks; and, if it is accepted, the row in the table's columns. The
 * names are NULL for what is no JSON object. The text is taken for valid UTF-8.
 */
public final class JsonRows implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String contract;
  private transient Program program;

  /** A contract as it is used: made where rows are read, because rules do not travel. */
  private record Program(boolean cells, Field row, List<String> names, Rule rule) {
    static Program of(JsonNode node) {
      Field row = Field.of(node.get("row"));
      List<String> names = row.members().keySet().stream().sorted().toList();
      return new Program(node.get("cells").booleanValue(), row, names, Rules.of(node.get("rule")));
    }
  }

  private JsonRows(String contract) {
    this.contract = contract;
  }

  /**
   * Gives the column that reads a text. Python finds it by its name alone, so no other method has that.
   *
   * @param contract the contract's fields and rule, as lakehouse_jobs.contract.json_rows writes them
   * @param type the type of the struct, as Spark writes types in JSON
   */
  public static Column column(Column text, String contract, String type) {
    Seq<Expression> arguments = seq(ExpressionUtils.expression(text));
    Seq<AbstractDataType> types = seq(DataTypes.StringType);
    Literal reader = new Literal(new JsonRows(contract), new ObjectType(JsonRows.class));
    return ExpressionUtils.column(
        new Invoke(reader, "read", DataType.fromJson(type), arguments, types, true, true, true));
  }

  private static <T> Seq<T> seq(T only) {
    return CollectionConverters.asScala(List.of(only)).toSeq();
  }

  /** Reads and judges one text. */
  public InternalRow read(UTF8String text) throws JsonProcessingException {
    if (program == null) {
      program = Program.of(MAPPER.readTree(contract));
    }
    try {
      Members members = JsonReader.row(text, program.row(), program.cells());
      boolean ok = program.rule().holds(members);
      InternalRow columns = ok ? struct(program.row(), members) : null;
      return result(ok, members.others(), lacking(members), columns);
    } catch (IOException | Undecided doubt) {
      return doubtful(text);
    }
  }

  /** Gives what is known of a row that the exact check decides about: its names. */
  private InternalRow doubtful(UTF8String text) {
    try {
      Set<String> others = JsonReader.names(text);
      Members named = Members.of(others.size());
      others.removeIf(name -> program.row().members().containsKey(name) && named.others().add(name));
      return result(false, others, lacking(named), null);
    } catch (IOException | Undecided doubt) {
      return new GenericInternalRow(new Object[] {false, null, null, null});
    }
  }

  private List<String> lacking(Members members) {
    List<String> lacking = new ArrayList<>();
    for (String name : program.names()) {
      if (!members.has(name)) {
        lacking.add(name);
      }
    }
    return lacking;
  }

  private static InternalRow result(boolean ok, Set<String> others, List<String> lacks, InternalRow columns) {
    return new GenericInternalRow(new Object[] {ok, texts(others), texts(lacks), columns});
  }

  private static ArrayData texts(Collection<String> names) {
    Object[] texts = new Object[names.size()];
    int place = 0;
    for (String name : names) {
      texts[place++] = UTF8String.fromString(name);
    }
    return new GenericArrayData(texts);
  }

  private static InternalRow struct(Field field, Members members) throws Undecided {
    Object[] columns = new Object[field.members().size()];
    int place = 0;
    for (Map.Entry<String, Field> each : field.members().entrySet()) {
      columns[place++] = kept(each.getValue(), members.get(each.getKey()));
    }
    return new GenericInternalRow(columns);
  }

  private static Object kept(Field field, Object value) throws Undecided {
    if (value == null || value == Rule.NULL) {
      return null;
    }
    return switch (field.kind()) {
      case STRING, JSON -> UTF8String.fromString((String) value);
      case TIMESTAMP -> Times.moment((String) value);
      case TIMESTAMP_NTZ -> Times.local((String) value);
      case DATE -> Times.day((String) value);
      case BIGINT, DOUBLE, BOOLEAN -> value;
      case DECIMAL -> decimal(field, (BigDecimal) value);
      case STRUCT -> struct(field, (Members) value);
      case ARRAY -> list(field.element(), (Object[]) value);
      case MAP -> map(field.element(), (Members) value);
    };
  }

  private static Decimal decimal(Field field, BigDecimal value) throws Undecided {
    BigDecimal scaled = value.setScale(field.scale(), RoundingMode.DOWN);
    Undecided.unless(scaled.compareTo(value) == 0 && scaled.precision() <= field.precision());
    return Decimal.apply(scaled, field.precision(), field.scale());
  }

  private static ArrayData list(Field element, Object[] items) throws Undecided {
    Object[] columns = new Object[items.length];
    for (int place = 0; place < items.length; place++) {
      columns[place] = kept(element, items[place]);
    }
    return new GenericArrayData(columns);
  }

  private static ArrayBasedMapData map(Field element, Members members) throws Undecided {
    Object[] values = members.read().values().toArray();
    return new ArrayBasedMapData(texts(members.read().keySet()), list(element, values));
  }
}
