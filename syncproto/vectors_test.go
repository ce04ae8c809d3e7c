package syncproto_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gridsync/syncproto/form"
)

const vectorsDir = "../testdata/vectors"

// vector is one file of testdata/vectors; testdata/README.md tells its shape.
type vector struct {
	Rule   string          `json:"rule"`
	Why    string          `json:"why"`
	Way    string          `json:"way"`
	Kind   string          `json:"kind"`
	Expect string          `json:"expect"`
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
}

// vectorKind runs the vectors of one kind: it returns the class of outcome and the
// output for an input.
type vectorKind struct {
	classes []string
	run     func(input []byte) (class string, output any, err error)
}

var vectorKinds = map[string]vectorKind{
	"decode":  {[]string{"accepted", "refused"}, runDecode},
	"hashes":  {[]string{"same", "different"}, runHashes},
	"digest":  {[]string{"same", "different"}, runDigest},
	"sum":     {[]string{"same", "different"}, runSum},
	"equal":   {[]string{"same", "different"}, runEqual},
	"part":    {[]string{"with_area", "without_area"}, runPart},
	"fold":    {[]string{"settled", "disputed"}, runFold},
	"join":    {[]string{"settled", "disputed"}, runJoin},
	"root":    {[]string{"itself", "another"}, runRoot},
	"correct": {[]string{"kept", "held"}, runCorrect},
	"parse":   {[]string{"accepted", "refused"}, runParse},
	"check":   {[]string{"passes", "fails"}, runCheck},
	"shown":   {[]string{"counts", "nothing"}, runShown},
	"covers":  {[]string{"covered", "open"}, runCovers},
	"unseal":  {[]string{"opened", "refused"}, runUnseal},
	"expr":    {[]string{"value", "refused"}, runExpr},
	"follows": {[]string{"accepted", "refused"}, runFollows},
	"remarks": {[]string{"complete", "remarks"}, runRemarks},
	"receipt": {[]string{"same", "different"}, runReceipt},
}

// strictly decodes JSON and complains of members that nobody asked for.
func strictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func readVectors(t *testing.T) map[string]vector {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectorsDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("%s is empty", vectorsDir)
	}
	vectors := make(map[string]vector, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := strictly(text, &v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		vectors[filepath.Base(path)] = v
	}
	return vectors
}

func TestEveryVectorHolds(t *testing.T) {
	for name, v := range readVectors(t) {
		t.Run(name, func(t *testing.T) {
			kind, ok := vectorKinds[v.Kind]
			if !ok || !slices.Contains(kind.classes, v.Expect) {
				t.Fatalf("no kind %q with an outcome %q", v.Kind, v.Expect)
			}
			class, output, err := kind.run(v.Input)
			if err != nil {
				t.Fatal(err)
			}
			if class != v.Expect {
				t.Errorf("%s, want %s: %s", class, v.Expect, v.Why)
			}
			if got, want := canonical(t, output), canonical(t, v.Output); got != want {
				t.Errorf("%s\n got %s\nwant %s", v.Why, got, want)
			}
		})
	}
}

// canonical writes anything as JSON with its names in order.
func canonical(t *testing.T, x any) string {
	t.Helper()
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	text, err = json.MarshalIndent(tree, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	ruleLine   = regexp.MustCompile(`(?m)^\*\*R(\d{2,3})( \((server|client)\))?\*\* `)
	vectorName = regexp.MustCompile(`^(R\d{2,3})-[a-z0-9-]+\.json$`)
)

// rules returns the rules of SPEC.md, and of each whether it needs vectors.
func rules(t *testing.T) map[string]bool {
	t.Helper()
	spec, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, last := map[string]bool{}, 0
	for _, m := range ruleLine.FindAllStringSubmatch(string(spec), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil || n <= last {
			t.Fatalf("SPEC.md: rule R%s stands behind R%02d", m[1], last)
		}
		rules["R"+m[1]], last = m[2] == "", n
	}
	return rules
}

func TestEveryRuleHasVectorsBothWaysAndEveryVectorARule(t *testing.T) {
	rules, ways := rules(t), map[string]map[string]bool{}
	for name, v := range readVectors(t) {
		m := vectorName.FindStringSubmatch(name)
		switch {
		case len(m) != 2 || m[1] != v.Rule:
			t.Errorf("%s is not named after its rule %s", name, v.Rule)
		case !rules[v.Rule]:
			t.Errorf("%s: SPEC.md has no rule %s that data can test", name, v.Rule)
		case v.Way != "applies" && v.Way != "does_not_apply":
			t.Errorf("%s: way %q", name, v.Way)
		case len(strings.Fields(v.Why)) < 4:
			t.Errorf("%s doesn't say why", name)
		}
		if ways[v.Rule] == nil {
			ways[v.Rule] = map[string]bool{}
		}
		ways[v.Rule][v.Way] = true
	}
	for rule, needed := range rules {
		if needed && len(ways[rule]) != 2 {
			t.Errorf("%s has vectors %v, and needs them both ways", rule, ways[rule])
		}
	}
}

// formOf reads a vector's form: the name of a built-in kind, of which the first version is
// meant, or a definition. null stands for no form.
func formOf(text json.RawMessage) (*form.Form, error) {
	var kind *string
	if json.Unmarshal(text, &kind) != nil {
		return form.Parse(text)
	}
	if kind == nil {
		return nil, nil
	}
	for _, f := range builtIn.All() {
		if string(f.Kind) == *kind {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no built-in form %q", *kind)
}

var builtIn = func() form.Set {
	set, err := form.BuiltIn()
	if err != nil {
		panic(err)
	}
	return set
}()
