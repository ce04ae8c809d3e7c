package division_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"gridsync/server/internal/area"
	"gridsync/server/internal/division"
)

// files are the package's files, as they would be if there were nothing but 金华市 and one
// city of another province that has no counties.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	nodes, err := division.Jinhua()
	if err != nil {
		t.Fatal(err)
	}
	names := map[int]string{2: "provinces.json", 4: "cities.json", 6: "areas.json", 9: "streets.json", 12: "villages.json"}
	places := map[string][]division.Place{
		"provinces.json": {{Code: "33", Name: "浙江省"}, {Code: "44", Name: "广东省"}},
		"cities.json":    {{Code: "4419", Name: "东莞市"}},
		"areas.json":     {{Code: "441900", Name: "东莞市"}},
		"streets.json":   {{Code: "441900003", Name: "东城街道"}},
		"villages.json":  {{Code: "441900003001", Name: "岗贝社区"}},
	}
	for _, n := range nodes {
		file := names[len(n.ID)]
		places[file] = append(places[file], division.Place{Code: string(n.ID), Name: n.Name})
	}
	all := make(map[string][]byte)
	for file, list := range places {
		slices.Reverse(list) // a source need not be in order
		if all[file], err = json.Marshal(list); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func folder(files map[string][]byte) division.Folder {
	return func(name string) (io.ReadCloser, error) {
		body, ok := files[name]
		if !ok {
			return nil, errors.New("no such file")
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
}

func archive(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	for name, body := range files {
		if err := w.WriteHeader(&tar.Header{Name: "package/dist/" + name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tree(t *testing.T, nodes []area.Node) *area.Tree {
	t.Helper()
	for i := range nodes {
		nodes[i].Key = area.Key(i + 1)
	}
	tree, err := area.NewTree(nodes)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestAllOfACityIsThereHoweverThePackageComes(t *testing.T) {
	all := files(t)
	fromFolder, err := division.ReadFolder(folder(all), "3307")
	if err != nil {
		t.Fatal(err)
	}
	fromArchive, err := division.ReadArchive(bytes.NewReader(archive(t, all)), "3307")
	if err != nil {
		t.Fatal(err)
	}
	want := division.Counts{Cities: 1, Counties: 9, Townships: 146, Villages: 3300}
	for _, part := range []*division.Part{fromFolder, fromArchive} {
		if got := part.Counts(); got != want {
			t.Errorf("%+v, not %+v", got, want)
		}
		nodes := part.Areas(nil)
		if n := tree(t, nodes).Len(); n != 3456 {
			t.Errorf("%d areas, not 3456", n)
		}
		if nodes[0].ID != "3307" || nodes[0].Name != "金华市" || nodes[0].Parent != "" {
			t.Errorf("the first is %+v", nodes[0])
		}
		for _, n := range nodes[1:] {
			if !strings.HasPrefix(string(n.ID), string(n.Parent)) || n.Parent == "" {
				t.Fatalf("%s lies below %q", n.ID, n.Parent)
			}
		}
	}
}

func TestACityWithoutCountiesHasItsTownshipsBelowIt(t *testing.T) {
	part, err := division.ReadFolder(folder(files(t)), "4419")
	if err != nil {
		t.Fatal(err)
	}
	nodes := part.Areas(nil)
	for _, want := range []area.Node{
		{ID: "4419", Name: "东莞市"},
		{ID: "441900003", Name: "东城街道", Parent: "4419"},
		{ID: "441900003001", Name: "岗贝社区", Parent: "441900003"},
	} {
		if !slices.Contains(nodes, want) {
			t.Errorf("%+v is not among %+v", want, nodes)
		}
	}
	if len(nodes) != 3 {
		t.Errorf("%d areas, not 3", len(nodes))
	}
}

func TestAPartIsPutBelowWhatIsThere(t *testing.T) {
	part, err := division.ReadFolder(folder(files(t)), "330702")
	if err != nil {
		t.Fatal(err)
	}
	if top := part.Areas(nil)[0]; top.ID != "330702" || top.Parent != "" {
		t.Errorf("alone it begins with %+v", top)
	}
	there := tree(t, []area.Node{{ID: "33", Name: "浙江省"}})
	if top := part.Areas(there)[0]; top.ID != "330702" || top.Parent != "33" {
		t.Errorf("with its province there it begins with %+v", top)
	}
}

func TestATownshipIsFoundByItsName(t *testing.T) {
	part, err := division.ReadFolder(folder(files(t)), "3307")
	if err != nil {
		t.Fatal(err)
	}
	if found := part.Find("秋滨街道"); !slices.Equal(found, []division.Place{{Code: "330702008", Name: "秋滨街道"}}) {
		t.Errorf("秋滨街道 is %v", found)
	}
	if found := part.Find("岗贝社区"); len(found) != 0 {
		t.Errorf("a village of another city was found: %v", found)
	}
	nodes, err := division.Jinhua()
	if err != nil {
		t.Fatal(err)
	}
	if found := division.Named(nodes, "秋滨街道"); len(found) != 1 || found[0].Parent != "330702" {
		t.Errorf("秋滨街道 is %v", found)
	}
}

func TestAnIncompletePackageIsRefusedWhole(t *testing.T) {
	whole := archive(t, files(t))
	for name, broken := range map[string][]byte{
		"nothing": nil, "no archive": []byte("[]"), "cut short": whole[:len(whole)/2],
	} {
		if _, err := division.ReadArchive(bytes.NewReader(broken), "3307"); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	for file, body := range map[string]string{
		"villages.json": `{"code":"330702001001"}`,
		"streets.json":  `[{"code":"330702001","name":"城东街道"`,
		"areas.json":    `[{"code":"3307021","name":"七位"}]`,
		"cities.json":   `[{"code":"3307","name":""}]`,
	} {
		all := files(t)
		all[file] = []byte(body)
		if _, err := division.ReadFolder(folder(all), "3307"); err == nil {
			t.Errorf("%s with %s was read", file, body)
		}
	}
	all := files(t)
	delete(all, "villages.json")
	if _, err := division.ReadFolder(folder(all), "3307"); err == nil {
		t.Error("a package without villages was read")
	}
	if _, err := division.ReadArchive(bytes.NewReader(archive(t, all)), "3307"); !errors.Is(err, division.ErrIncomplete) {
		t.Errorf("an archive without villages: %v", err)
	}
	if _, err := division.ReadFolder(folder(files(t)), "9999"); !errors.Is(err, division.ErrIncomplete) {
		t.Errorf("a prefix that nothing has: %v", err)
	}
}
