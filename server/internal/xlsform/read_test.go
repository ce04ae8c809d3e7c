package xlsform_test

import (
	"testing"

	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

func TestAHouseholdListingBecomesAForm(t *testing.T) {
	f, got := read(t, householdListing)
	if f.Kind != "household_listing" || f.Version != 1 || f.Label.ZH != "住户登记" || f.Stream != form.History {
		t.Errorf("the form is %s/%d %v %s", f.Kind, f.Version, f.Label, f.Stream)
	}
	address := fieldOf(t, f, "address")
	if address.Label != (syncproto.Text{ZH: "地址", EN: "Address"}) || address.Class != form.Personal || !address.Required {
		t.Errorf("address: %+v", address)
	}
	if mobile := fieldOf(t, f, "contact"); mobile.Type != form.Mobile || mobile.Class != form.Secret {
		t.Errorf("contact: %+v", mobile)
	}
	if remarks := fieldOf(t, f, "remarks"); remarks.Rule != form.Latest {
		t.Errorf("remarks are merged by %s", remarks.Rule)
	}
	says(t, "remark", got.Remarks,
		"survey!A2 carries when it was made", "survey!A3 carries its device", "survey!A4 flattened",
		"survey!A6 dwelling_other", "survey!A8 OK is yes", "survey! recorded_at", "settings!C2 only noted")

	at := "recorded_at=1580400000000"
	accepts(t, f, at, `address="1号"`, `dwelling="other"`, `dwelling_other="船"`, "consent=true", `head="甲"`, `contact="10000000001"`, "members=4", "under5=1")
	refuses(t, f, "dwelling", at, `address="1号"`, `dwelling="tent"`, "consent=true", `head="甲"`, "members=4")
	refuses(t, f, "members", at, `address="1号"`, `dwelling="flat"`, "consent=true", `head="甲"`, "members=41")
	refuses(t, f, "under5", at, `address="1号"`, `dwelling="flat"`, "consent=true", `head="甲"`, "members=3", "under5=3")
	refuses(t, f, "head", at, `address="1号"`, `dwelling="flat"`, "consent=true", "members=3")
	// Who doesn't agree isn't asked about their people.
	accepts(t, f, at, `address="1号"`, `dwelling="flat"`, "consent=false")

	counts(t, f, map[string]int64{"household_listing_records": 1, "household_listing_members": 4, "household_listing_under5": 1},
		at, "consent=true", "members=4", "under5=1")
}

func TestAVaccinationRoundBecomesAForm(t *testing.T) {
	f, got := read(t, vaccinationRound)
	if f.Label.ZH != "Vaccination round" {
		t.Errorf("without Chinese the form is called %v", f.Label)
	}
	if birth := fieldOf(t, f, "birth"); birth.Class != form.Personal {
		t.Errorf("a date of birth is of class %q", birth.Class)
	}
	if _, ok := f.Field("recorded_at"); ok {
		t.Error("recorded_at was added though the visit has a date")
	}
	says(t, "remark", got.Remarks, "survey!A3 count on the day", "survey!A11 the note at the end")

	accepts(t, f, `visit_date="2020-01-31"`, `child="乙"`, `birth="2019-01-31"`, `given=["opv","measles"]`)
	refuses(t, f, "given", `visit_date="2020-01-31"`, `child="乙"`, `birth="2019-01-31"`, `given=["opv","none"]`, `reason="ill"`)
	refuses(t, f, "reason", `visit_date="2020-01-31"`, `child="乙"`, `birth="2019-01-31"`, `given=["none"]`)
	accepts(t, f, `visit_date="2020-01-31"`, `child="乙"`, `birth="2019-01-31"`, `given=["none"]`, `reason="ill"`)
	refuses(t, f, "visit_date", `child="乙"`, `birth="2019-01-31"`)

	counts(t, f, map[string]int64{"vaccination_round_records": 1, "vaccination_round_given_opv": 1, "vaccination_round_given_measles": 1},
		`visit_date="2020-01-31"`, `given=["opv","measles"]`)
	if unit := f.Measures[0].Unit; unit != form.People {
		t.Errorf("records are counted in %s", unit)
	}
}

func TestAFloodAssessmentBecomesAForm(t *testing.T) {
	f, got := read(t, floodDamage)
	if f.Kind != "flood-damage" {
		t.Errorf("the kind is %s", f.Kind)
	}
	depth := fieldOf(t, f, "depth")
	if depth.Type != form.Integer || *depth.Min != 0 || *depth.Max != 500 {
		t.Errorf("depth: %+v", depth)
	}
	if walls := fieldOf(t, f, "walls"); walls.Choices[1].Label != (syncproto.Text{ZH: "土坯", EN: "Adobe"}) {
		t.Errorf("walls: %+v", walls.Choices)
	}
	if seen := fieldOf(t, f, "seen_at"); seen.Type != form.Time || !seen.Required {
		t.Errorf("seen_at: %+v", seen)
	}
	says(t, "remark", got.Remarks, "survey!J4 appearance", "survey!A5 slider", "survey!A11 time of day", "survey!A12 next question's hint")

	at := "seen_at=1580400000000"
	accepts(t, f, at, `walls="brick"`, "depth=20", `since="07:45"`)
	accepts(t, f, at, `walls="brick"`, "depth=120", `damage="total"`, "loss=1200.5")
	refuses(t, f, "depth", at, `walls="brick"`, "depth=501")
	refuses(t, f, "since", at, `walls="brick"`, `since="25:00"`)
	refuses(t, f, "damage", at, `walls="brick"`, "depth=120")
	refuses(t, f, "loss", at, `walls="brick"`, "depth=120", `damage="total"`, "loss=-1")
}

func TestAWaterPointBecomesAForm(t *testing.T) {
	f, got := read(t, waterPoint)
	if f.Kind != "gongshuidianjiancha" || f.Label.EN != "供水点检查" {
		t.Errorf("the form is %s %v", f.Kind, f.Label)
	}
	name := fieldOf(t, f, "shuiyuanmingcheng")
	if name.Rule != form.Once || name.Class != form.Open {
		t.Errorf("the name is merged by %s, of class %q", name.Rule, name.Class)
	}
	if state := fieldOf(t, f, "state"); state.Rule != form.Severest {
		t.Errorf("state is merged by %s", state.Rule)
	}
	if chlorine := fieldOf(t, f, "chlorine"); chlorine.Unit != "mg/L" {
		t.Errorf("chlorine is in %q", chlorine.Unit)
	}
	says(t, "remark", got.Remarks, "settings!B2 became", "survey!B3 became", "survey!E6 plain ones", "survey!A8 typed in")

	point := []string{`checked_on="2020-01-31"`, `shuiyuanmingcheng="村口井"`, `source="well"`}
	accepts(t, f, append(point, `state="ok"`, "chlorine=0.3")...)
	refuses(t, f, "chlorine", append(point, `state="ok"`, "chlorine=11")...)
	counts(t, f, map[string]int64{
		"gongshuidianjiancha_records": 1, "gongshuidianjiancha_source_well": 1,
		"gongshuidianjiancha_state_dry": 1, "gongshuidianjiancha_users": 31,
	}, append(point, `state="dry"`, "users=31")...)
	raises(t, f, "state", append(point, `state="dry"`)...)
	raises(t, f, "chlorine", append(point, `state="ok"`, "chlorine=0.04")...)
	raises(t, f, "", append(point, `state="ok"`, "chlorine=0.05")...)
}

func TestAScreeningBecomesAForm(t *testing.T) {
	f, got := read(t, muac)
	if child := fieldOf(t, f, "child"); child.Type != form.Ref || child.Of != "person" {
		t.Errorf("child: %+v", child)
	}
	says(t, "remark", got.Remarks, "survey!E1 not kept: Français (fr)", "survey! recorded_at")

	who := `child="0197f000-0000-7000-8000-000000000001"`
	at := "recorded_at=1580400000000"
	accepts(t, f, at, "consent=true", who, "months=12", `oedema="no"`, "muac=130")
	accepts(t, f, at, "consent=true", who, "months=12", `oedema="yes"`, `referred="yes"`)
	refuses(t, f, "consent", at, "consent=false", who, "months=12", `oedema="no"`, "muac=130")
	refuses(t, f, "muac", at, "consent=true", who, "months=12", `oedema="no"`, "muac=70")
	refuses(t, f, "muac", at, "consent=true", who, "months=12", `oedema="no"`)
	refuses(t, f, "months", at, "consent=true", who, "months=60", `oedema="no"`, "muac=130")
	raises(t, f, "muac", at, "muac=124")
	raises(t, f, "", at, "muac=125")
	counts(t, f, map[string]int64{"muac_screening_records": 1, "muac_screening_muac": 1}, at, "muac=114")
	counts(t, f, map[string]int64{"muac_screening_records": 1}, at, "muac=115")
}

func TestADateOfBirthIsNotTheDayOfARecord(t *testing.T) {
	f, _ := read(t, "# survey\ntype | name | label | required\ndate | dob | Date of birth | yes\n# settings\nform_id\nbirths\n")
	if f.Moment != "recorded_at" || f.Measures[0].Day != "recorded_at" {
		t.Errorf("records count on the day of %s", f.Moment)
	}
}

func TestTheSettingsNameTheDayOfARecord(t *testing.T) {
	f, _ := read(t, "# survey\ntype | name | label | required\ndate | asked | Asked on | yes\ndate | fell_ill | Fell ill on |\n# settings\nform_id | gridsync_moment\nillness | fell_ill\n")
	if f.Moment != "fell_ill" {
		t.Errorf("records count on the day of %s", f.Moment)
	}
}
