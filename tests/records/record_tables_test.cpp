// A CSV record as people read it.
#include "suite/records/record_tables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace convscope {
namespace {

CsvFile csv(const std::vector<std::string>& columns,
            const std::vector<std::vector<std::string>>& rows) {
  CsvFile file;
  file.columns = columns;
  for (const auto& row : rows) file.rows.push_back({0, row});
  return file;
}

Human human(const RecordTable& shown, const std::string& column) {
  for (const TableColumn& one : shown.table.columns)
    if (one.name == column) return one.human;
  throw std::out_of_range(column);
}

TEST(RecordTables, ColumnIsOfNumbersOnlyWhereAllOfItIs) {
  const auto rows = record_table(csv({"a", "b", "c", "d", "e"}, {{"1", "1", "1", "1", ""},
                                                                 {"-2", "2.5", "x", "", ""},
                                                                 {"3", "1e3", "3", "4", ""}}))
                        .table.rows;
  EXPECT_EQ(rows[1][0], Cell(int64_t{-2}));
  EXPECT_EQ(rows[0][1], Cell(1.0));
  EXPECT_EQ(rows[2][1], Cell(1000.0));
  EXPECT_EQ(rows[0][2], Cell("1")) << "beside a text, a number is a text";
  EXPECT_EQ(rows[1][3], Cell()) << "an empty field is none";
  EXPECT_EQ(rows[2][3], Cell(int64_t{4}));
  EXPECT_EQ(rows[0][4], Cell());
}

TEST(RecordTables, NumbersThatAreNoneOrTooLargeAreRead) {
  const auto rows = record_table(csv({"a", "b", "c"},
                                     {{"nan", "99999999999999999999", "1e999"}, {"inf", "1", "1"}}))
                        .table.rows;
  EXPECT_TRUE(std::isnan(std::get<double>(rows[0][0])));
  EXPECT_TRUE(std::isinf(std::get<double>(rows[1][0])));
  EXPECT_EQ(rows[0][1], Cell(1e20));
  EXPECT_EQ(rows[0][2], Cell("1e999")) << "no double holds it, so the text is kept";
}

TEST(RecordTables, KnownColumnsHaveHeadingsAndUnits) {
  const auto columns = record_table(csv({"params", "peak_bytes", "median_ms"}, {})).table.columns;
  EXPECT_EQ(columns[0].heading, "Params");
  EXPECT_EQ(columns[0].human, Human::count);
  EXPECT_EQ(columns[1].human, Human::bytes);
  EXPECT_EQ(columns[2].heading, "Median (ms)");
}

TEST(RecordTables, UnknownColumnsAreShownAsTheyAre) {
  const auto shown = record_table(csv({"<b>new</b>"}, {{"1"}, {"1"}}));
  EXPECT_EQ(shown.table.columns[0].heading, "<b>new</b>");
  EXPECT_EQ(shown.table.columns[0].human, Human::plain);
}

TEST(RecordTables, WhatFewPeopleAskForIsHiddenButKept) {
  const auto shown = record_table(csv({"model", "buffers", "env"}, {{"a", "7", "e"}}));
  EXPECT_EQ(human(shown, "buffers"), Human::none);
  EXPECT_EQ(human(shown, "env"), Human::none);
  EXPECT_EQ(shown.table.rows[0][1], Cell(int64_t{7}));
}

TEST(RecordTables, SettingsThatAllRowsShareAreASentence) {
  const auto shown = record_table(csv({"model", "device", "threads", "batch", "median_ms"},
                                      {{"a", "cpu", "1", "1", "5"}, {"b", "cpu", "1", "2", "5"}}));
  EXPECT_EQ(shown.common, "device cpu, threads 1");
  EXPECT_EQ(human(shown, "device"), Human::none);
  EXPECT_EQ(human(shown, "threads"), Human::none);
  EXPECT_EQ(human(shown, "batch"), Human::plain);
  EXPECT_EQ(human(shown, "median_ms"), Human::plain) << "a result is shown, also where it is one";
}

TEST(RecordTables, SingleRowAndTheFirstColumnAreShownWhole) {
  EXPECT_EQ(human(record_table(csv({"model", "device"}, {{"a", "cpu"}})), "device"), Human::plain);
  const auto shown = record_table(csv({"model", "device"}, {{"a", "cpu"}, {"a", "cuda"}}));
  EXPECT_EQ(human(shown, "model"), Human::plain);
  EXPECT_EQ(shown.common, "");
}

TEST(RecordTables, ColumnsThatSayNothingAreHidden) {
  const auto dull = record_table(csv({"a", "status", "disturbed", "reason"},
                                     {{"1", "ok", "false", ""}, {"2", "ok", "false", ""}}));
  for (const char* column : {"status", "disturbed", "reason"})
    EXPECT_EQ(human(dull, column), Human::none) << column;
  const auto telling = record_table(csv({"a", "status", "disturbed", "reason"},
                                        {{"1", "ok", "false", ""}, {"2", "noisy", "true", "x"}}));
  for (const char* column : {"status", "disturbed"})
    EXPECT_EQ(human(telling, column), Human::plain) << column;
  EXPECT_EQ(human(telling, "reason"), Human::none) << "it is long, and among all columns";
  EXPECT_EQ(human(record_table(csv({"status"}, {{"failed"}})), "status"), Human::plain);
}

TEST(RecordTables, SettingThatIsEmptyInEachRowIsNotNamed) {
  EXPECT_EQ(record_table(csv({"model", "seed"}, {{"a", ""}, {"b", ""}})).common, "");
}

TEST(RecordTables, HeaderAloneIsATableWithoutRows) {
  const auto shown = record_table(csv({"model", "status"}, {}));
  EXPECT_EQ(shown.table.columns.size(), 2u);
  EXPECT_TRUE(shown.table.rows.empty());
  EXPECT_EQ(shown.common, "");
}

TEST(RecordTables, EachRecordOfAReportIsNamedOnce) {
  std::set<std::string> files;
  for (const ReportedRecord& record : reported_records()) {
    EXPECT_TRUE(files.insert(record.file).second) << record.file;
    EXPECT_EQ(record.caption.back(), '.') << record.file;
  }
}

}  // namespace
}  // namespace convscope
