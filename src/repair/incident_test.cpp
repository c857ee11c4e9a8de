#include "repair/incident.h"

#include <gtest/gtest.h>

namespace flowmend::repair {
namespace {

const Timestamp noon = *parse_timestamp("2026-11-23T12:00:00Z");

Finding finding(const char* key, Timestamp ended, const char* flow = "f1") {
  Finding made;
  made.run = "run";
  made.flow = flow;
  made.flow_display_name = std::string("Flow ") + flow;
  made.started = ended - Duration::seconds(1);
  made.ended = ended;
  made.title = "It failed";
  made.message = "Because.";
  made.family = "transient";
  made.fingerprint = {key, std::string("Same ") + key};
  return made;
}

Incident opened(const char* key = "k") {
  Incident incident;
  incident.id = incident_id(key);
  return incident;
}

TEST(Incident, CountsFailuresByFlowAndHour) {
  auto incident = opened();
  fold(incident, finding("k", noon), noon);
  fold(incident, finding("k", noon + Duration::minutes(5)), noon);
  fold(incident, finding("k", noon + Duration::hours(1), "f2"), noon);
  EXPECT_EQ(incident.count(), 3);
  EXPECT_EQ(incident.first(), noon);
  EXPECT_EQ(incident.last(), noon + Duration::hours(1));
  const auto view = incident_view(incident);
  EXPECT_EQ(view.find("flows")->size(), 2u);
  EXPECT_EQ(view.find("hours")->size(), 2u);
  EXPECT_EQ(view.text_of("state"), "new");
}

TEST(Incident, KeepsTheHoursOfAWeekAndABoundedNumberOfFlows) {
  auto incident = opened();
  for (int i = 0; i < 400; ++i) {
    const auto time = noon + Duration::hours(i);
    fold(incident, finding("k", time, ("f" + std::to_string(i)).c_str()), time);
  }
  EXPECT_EQ(incident.parts[0].hours.size(), 168u);
  EXPECT_EQ(incident.parts[0].flows.size(), flows_max);
  EXPECT_EQ(incident.count(), 400);
}

TEST(Incident, TellsOncePerHour) {
  auto incident = opened();
  EXPECT_TRUE(fold(incident, finding("k", noon), noon));
  incident.read = true;
  EXPECT_FALSE(fold(incident, finding("k", noon), noon + Duration::minutes(59)));
  EXPECT_TRUE(incident.read);
  EXPECT_TRUE(fold(incident, finding("k", noon), noon + Duration::minutes(60)));
  EXPECT_FALSE(incident.read);
}

TEST(Incident, TheFirstRunGivesItsFaceAlsoWhenTheConnectionWasToldBrokenAfterItsEnd) {
  auto incident = opened();
  IncidentPart broken;
  broken.fingerprint = "k";
  broken.title = "The connection isn't authenticated";
  broken.first = broken.last = noon + Duration::milliseconds(3);
  incident.parts.push_back(broken);
  fold(incident, finding("k", noon), noon + Duration::milliseconds(4));
  EXPECT_EQ(incident.face().last_run, "run");
  EXPECT_EQ(incident.face().last_flow, "f1");
  EXPECT_EQ(incident.last(), noon + Duration::milliseconds(3));
}

TEST(Incident, AMutedOneIsSilentUntilItsTime) {
  auto incident = opened();
  fold(incident, finding("k", noon), noon);
  incident.state = IncidentState::muted;
  incident.muted_until = noon + Duration::hours(5);
  EXPECT_FALSE(fold(incident, finding("k", noon), noon + Duration::hours(4)));
  EXPECT_EQ(incident.state, IncidentState::muted);
  EXPECT_TRUE(fold(incident, finding("k", noon), noon + Duration::hours(5)));
  EXPECT_EQ(incident.state, IncidentState::fresh);
}

TEST(Incident, AFixedOneComesBackWithARunThatBeganLater) {
  auto incident = opened();
  fold(incident, finding("k", noon), noon);
  note_fix(incident, {noon + Duration::minutes(1), "ann", "", "", ""});
  EXPECT_FALSE(fold(incident, finding("k", noon + Duration::seconds(30)), noon + Duration::minutes(2)));
  EXPECT_EQ(incident.state, IncidentState::fixed);
  EXPECT_TRUE(fold(incident, finding("k", noon + Duration::minutes(3)), noon + Duration::minutes(3)));
  EXPECT_EQ(incident.state, IncidentState::back);
}

TEST(Incident, AMuteIsOverAtItsTimeAlsoWhenNothingFails) {
  auto incident = opened();
  fold(incident, finding("k", noon), noon);
  incident.state = IncidentState::muted;
  incident.assignee = "ann";
  incident.muted_until = noon + Duration::hours(5);
  end_mute(incident, noon + Duration::hours(4));
  EXPECT_EQ(incident.state, IncidentState::muted);
  end_mute(incident, noon + Duration::hours(5));
  EXPECT_EQ(incident.state, IncidentState::assigned);
  EXPECT_FALSE(incident.muted_until.is_set());
}

TEST(Incident, FixedInAVersionIsNotBackWithAnOlderOne) {
  auto incident = opened();
  auto failed = finding("k", noon);
  failed.version = "08584-2";  // versions sort the newest first
  fold(incident, failed, noon);
  note_fix(incident, {noon + Duration::minutes(1), "ann", "", "f1", "08584-1"});
  const auto later = noon + Duration::minutes(5);
  auto old = finding("k", later);
  old.version = "08584-2";
  EXPECT_FALSE(fold(incident, old, later));
  EXPECT_EQ(incident.state, IncidentState::fixed);
  auto mended = finding("k", later);
  mended.version = "08584-1";
  EXPECT_TRUE(fold(incident, mended, later));
  EXPECT_EQ(incident.state, IncidentState::back);
  ASSERT_EQ(incident.fixes().size(), 1u) << "what fixed it before is still known";
}

TEST(Incident, AMergeIsTakenBackByASplit) {
  auto one = opened("a");
  fold(one, finding("a", noon), noon);
  one.state = IncidentState::assigned;
  one.assignee = "ann";
  note_fix(one, {noon - Duration::hours(9), "ann", "", "", ""});
  one.state = IncidentState::assigned;
  auto other = opened("b");
  fold(other, finding("b", noon), noon);
  note_fix(other, {noon - Duration::hours(5), "bob", "", "", ""});
  other.parts[0].repaired = 7;
  other.state = IncidentState::muted;
  other.muted_until = noon + Duration::hours(3);
  for (const char* leaves : {"a", "b"}) {
    Incident merged = one;
    merge_into(merged, other);
    EXPECT_EQ(merged.fixes().size(), 2u);
    EXPECT_EQ(merged.repaired(), 7);
    EXPECT_EQ(merged.state, IncidentState::assigned);
    const auto stored = from_document(to_document(merged));
    ASSERT_TRUE(stored);
    Incident kept = *stored;
    kept.id = merged.id;
    auto apart = split_off(kept, leaves);
    ASSERT_TRUE(apart);
    const Incident& a = leaves == std::string("a") ? *apart : kept;
    const Incident& b = leaves == std::string("a") ? kept : *apart;
    EXPECT_EQ(incident_view(a), incident_view(one)) << leaves;
    EXPECT_EQ(incident_view(b), incident_view(other)) << leaves;
    EXPECT_FALSE(split_off(kept, kept.parts[0].fingerprint)) << "one cause is not split";
  }
}

TEST(Incident, WhatFailedAgainWhileItWasMergedIsBackAfterTheSplit) {
  auto one = opened("a");
  fold(one, finding("a", noon), noon);
  auto other = opened("b");
  fold(other, finding("b", noon), noon);
  note_fix(other, {noon + Duration::minutes(1), "bob", "", "", ""});
  merge_into(one, other);
  fold(one, finding("b", noon + Duration::hours(2)), noon + Duration::hours(2));
  const auto apart = split_off(one, "b");
  ASSERT_TRUE(apart);
  EXPECT_EQ(apart->state, IncidentState::back);
}

TEST(Incident, DocumentsOfBeforeKeepTheirFixes) {
  auto incident = opened();
  fold(incident, finding("k", noon), noon);
  json::ObjectBuilder old(to_document(incident));
  old.add("repaired", Value(3));
  old.add("fixes", Value::array({Value::object({{"time", Value(to_string(noon))}, {"by", "ann"}})}));
  const auto read = from_document(old.finish());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->repaired(), 3);
  ASSERT_EQ(read->fixes().size(), 1u);
  EXPECT_EQ(read->fixes()[0].by, "ann");
}

TEST(Incident, IsReadBackAsItWasStored) {
  auto incident = opened();
  auto one = finding("k", noon);
  one.connection = connector::ConnectionKey{"shared_orders", "orders"};
  one.connection_name = "Orders";
  fold(incident, one, noon);
  fold(incident, finding("other", noon + Duration::hours(2), "f2"), noon);
  incident.assignee = "ann";
  note_fix(incident, {noon, "ann", "r", "f1", "v"});
  incident.parts[1].repaired = 4;
  incident.parts[1].before_merge = Standing{IncidentState::muted, "bob", noon, true, noon};
  auto again = from_document(to_document(incident));
  ASSERT_TRUE(again);
  again->id = incident.id;
  EXPECT_EQ(incident_view(*again), incident_view(incident));
  ASSERT_TRUE(again->parts[1].before_merge);
  EXPECT_EQ(again->parts[1].before_merge->assignee, "bob");
  EXPECT_FALSE(from_document(Value::object({{"state", "what"}})));
  EXPECT_FALSE(from_document(Value()));
}

TEST(Fingerprint, MessagesAreComparedWithoutWhatDiffersFromCaseToCase) {
  EXPECT_EQ(normalised_message("Order 4711 was not found"), "order # was not found");
  EXPECT_EQ(normalised_message("Order 'A-1' isn't there, nor \"B\""), "order # isn't there, nor #");
  EXPECT_EQ(normalised_message("at 2026-11-23T12:00:00Z, id 6f9619ff-8b86-d011-b42d-00c04fc964ff"), "at #, id #");
  EXPECT_EQ(normalised_message(" Größe\n  fehlt "), "größe fehlt");
  EXPECT_LE(normalised_message(std::string(5000, 'x')).size(), 160u);
}

}  // namespace
}  // namespace flowmend::repair
