package identity

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
)

// sights are the words of the READMEs.
var sights = map[string]map[Sight]string{
	"README.md":    {Hidden: "–", Masked: "masked", Clear: "clear"},
	"README.zh.md": {Hidden: "–", Masked: "掩码", Clear: "明文"},
}

// line is a role as a row of the READMEs' table.
func line(p Power, say map[Sight]string) string {
	cells := []string{"`" + string(p.Role) + "`"}
	for _, right := range Rights {
		if p.Role.May(right) {
			cells = append(cells, "✓")
		} else {
			cells = append(cells, "")
		}
	}
	var gives []string
	for _, r := range p.Gives {
		gives = append(gives, string(r))
	}
	cells = append(cells, say[p.Personal], say[p.Secret], strings.Join(gives, ", "))
	return "| " + strings.Join(cells, " | ") + " |"
}

func TestTheREADMEsShowTheTable(t *testing.T) {
	for name, say := range sights {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range Powers {
			if !strings.Contains(string(text), line(p, say)+"\n") {
				t.Errorf("%s lacks\n%s", name, line(p, say))
			}
		}
	}
}

func TestEveryRoleStandsInTheTableOnce(t *testing.T) {
	var roles []Role
	for _, p := range Powers {
		roles = append(roles, p.Role)
		for _, r := range p.Rights {
			if !slices.Contains(Rights, r) {
				t.Errorf("%s has the right %q, which there is not", p.Role, r)
			}
		}
	}
	if !slices.Equal(roles, Roles) {
		t.Errorf("the table has %v, and there are %v", roles, Roles)
	}
}

// Nobody can make somebody who may do more than they may themselves, but for those who
// run the installation and see nothing.
func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	for _, p := range Powers {
		if len(p.Gives) > 0 != p.Role.May(Enrol) {
			t.Errorf("%s gives %v, and may enrol: %v", p.Role, p.Gives, p.Role.May(Enrol))
		}
		for _, given := range p.Gives {
			if p.Role == Administrator {
				continue
			}
			if given == p.Role {
				t.Errorf("%s makes others like itself", p.Role)
			}
			for _, right := range given.Power().Rights {
				if !p.Role.May(right) {
					t.Errorf("%s gives %s, and with it %s, which it has not", p.Role, given, right)
				}
			}
		}
	}
}

func TestWhoRunsTheInstallationSeesNoRecords(t *testing.T) {
	tree, err := area.NewTree([]area.Node{{Key: 1, ID: "town"}, {Key: 2, ID: "g1", Parent: "town"}})
	if err != nil {
		t.Fatal(err)
	}
	eyes := func(roles ...Role) Eyes {
		var grants []Grant
		for _, r := range roles {
			grants = append(grants, Grant{Author: syncproto.AuthorID{1}, Area: "town", Role: r})
		}
		d := NewDirectory(Everyone{Grants: grants})
		return d.Eyes(tree, []syncproto.AuthorID{{1}}, "g1", 5)
	}
	for _, c := range []struct {
		roles []Role
		want  string // of what is open, personal and secret
	}{
		{nil, "000"},
		{[]Role{Administrator}, "000"},
		{[]Role{Auditor}, "000"},
		{[]Role{Administrator, Auditor}, "000"},
		{[]Role{County}, "211"},
		{[]Role{Volunteer}, "221"},
		{[]Role{Township}, "221"},
		{[]Role{Secretary}, "222"},
		{[]Role{County, Volunteer}, "221"}, // who sees by two grants sees by the greater
		{[]Role{Administrator, Secretary}, "222"},
	} {
		e := eyes(c.roles...)
		if got := fmt.Sprint(e.Of(form.Open), e.Of(form.Personal), e.Of(form.Secret)); got != strings.Join(strings.Split(c.want, ""), " ") {
			t.Errorf("%v see %s, want %s", c.roles, got, c.want)
		}
	}
}

func TestARightHoldsWhereAndWhileItsGrantDoes(t *testing.T) {
	tree, err := area.NewTree([]area.Node{
		{Key: 1, ID: "town"}, {Key: 2, ID: "c1", Parent: "town"}, {Key: 3, ID: "g1", Parent: "c1"}, {Key: 4, ID: "c2", Parent: "town"},
	})
	if err != nil {
		t.Fatal(err)
	}
	one, phone := syncproto.AuthorID{1}, syncproto.DeviceID{1}
	who := []syncproto.AuthorID{one}
	d := NewDirectory(Everyone{
		Devices: []Device{{ID: phone, Authors: who}, {ID: syncproto.DeviceID{2}, Authors: who, Standing: Standing{Status: Retired}}},
		Grants: []Grant{
			{Author: one, Area: "c1", Role: Secretary, From: 10, To: 20},
			{Author: one, Area: "g1", Role: Volunteer, From: 10},
			{Author: one, Area: "town", Role: Administrator, From: 10},
		},
	})
	for _, c := range []struct {
		right Right
		area  syncproto.AreaID
		at    syncproto.Instant
		want  bool
	}{
		{Decide, "g1", 10, true},
		{Decide, "c1", 19, true},
		{Decide, "c1", 20, false},
		{Decide, "c2", 15, false},
		{Read, "c1", 9, false},
		{Read, "g1", 20, true},
		{Read, "c2", 15, false},
		{Totals, "c2", 15, true},
		{Enrol, "town", 15, true},
		{Audit, "g1", 15, false},
	} {
		if got := d.May(tree, who, c.right, c.area, c.at); got != c.want {
			t.Errorf("%s in %s at %d: %v", c.right, c.area, c.at, got)
		}
	}
	if got := d.Scope(tree, phone, 15); !slices.Equal(got, []syncproto.AreaID{"c1"}) {
		t.Errorf("the phone keeps %v", got)
	}
	if got := d.Scope(tree, syncproto.DeviceID{2}, 15); got != nil {
		t.Errorf("a phone that was handed back keeps %v", got)
	}
}
