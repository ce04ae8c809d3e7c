package archtest

// Module is the name of our module.
const Module = "gridsync"

// Layer is a group of packages under one rule.
type Layer struct {
	Name string
	// Why is printed with every breach.
	Why string
	// Packages are folders; one that ends in "/..." includes all below it.
	Packages []string
	// May lists what they may import besides the standard library and each other:
	// folders of ours and import paths of others, with or without "/...".
	May []string
	// MayNot lists parts of the standard library that they do without.
	MayNot []string
	// Pure layers get time, randomness and new ids as values.
	Pure bool
}

// What the layers are made of.
var (
	language = []string{"syncproto/..."}
	services = []string{
		"server/internal/area", "server/internal/identity", "server/internal/registry", "server/internal/exchange",
		"server/internal/review", "server/internal/proof", "server/internal/roster", "server/internal/rollup", "server/internal/desk",
		"server/internal/match", "server/internal/plausible", "server/internal/seal", "server/internal/audit", "server/internal/privacy",
		"server/internal/enrol", "server/internal/console", "server/internal/qr", "server/internal/sheet", "server/internal/formbook", "server/internal/xlsform",
		"server/internal/dayclose", "server/internal/division", "server/internal/intake", "server/internal/fieldwork", "server/internal/hook",
	}
	store = []string{"server/internal/store/..."}
	api   = []string{"server/internal/api/..."}
	sdk   = []string{"clientsdk/..."}

	sqlite = []string{"modernc.org/sqlite/..."}
	fiber  = []string{"github.com/gofiber/fiber/v2/...", "github.com/valyala/fasthttp/..."}
	uuid   = []string{"github.com/google/uuid"}

	sql     = []string{"database/..."}
	network = []string{"net/..."}
	machine = []string{"os/...", "io/ioutil", "syscall", "plugin", "unsafe", "testing/..."}
	chance  = []string{"math/rand/...", "crypto/rand"}
)

// Layout is DESIGN.md's layout. Every package stands in exactly one layer: whoever
// adds a package decides here what it may know.
var Layout = []Layer{
	{
		Name:     "language",
		Why:      "phones, servers and tests must read the same bytes in the same way, so the language has no I/O, no clock, no randomness, and merging cannot reach SQL",
		Packages: language,
		May:      join(uuid, []string{"golang.org/x/text/..."}),
		MayNot:   join(sql, network, machine, chance, []string{"log/..."}),
		Pure:     true,
	},
	{
		Name:     "services",
		Why:      "a service says what it needs of a store and what it answers; which database and which web server there are is decided in main, so that the rules of the work are in one place and can be tested without either",
		Packages: services,
		May:      join(language, uuid, []string{"github.com/mozillazg/go-pinyin", "golang.org/x/text/..."}),
		MayNot:   join(sql, network, machine, chance),
		Pure:     true,
	},
	{
		Name:     "store",
		Why:      "a store keeps what services give it; it meets the API nowhere but in main",
		Packages: store,
		May:      join(services, language, sqlite, uuid, []string{"github.com/pressly/goose/v3/...", "github.com/jackc/pgx/v5/...", "github.com/klauspost/compress/..."}),
		MayNot:   []string{"net/http/..."},
	},
	{
		Name:     "courier",
		Why:      "what hooks are told leaves by one package, which knows no store and no rule: it alone may call other machines",
		Packages: []string{"server/internal/hook/courier"},
		May:      join(language, []string{"server/internal/area", "server/internal/hook"}, uuid, []string{"github.com/cenkalti/backoff/v5"}),
		MayNot:   sql,
	},
	{
		Name:     "api",
		Why:      "the API decodes, calls a service and encodes; it meets the store nowhere but in main",
		Packages: api,
		May: join(services, language, fiber, uuid, []string{
			"github.com/golang-jwt/jwt/v5", "github.com/klauspost/compress/...", "github.com/prometheus/client_golang/...",
		}),
		MayNot: sql,
	},
	{
		Name:     "clientsdk",
		Why:      "a phone has the language in common with the server and nothing else; what it knows of a server came over the wire",
		Packages: sdk,
		May:      join(language, sqlite, uuid, []string{"github.com/cenkalti/backoff/v5", "github.com/klauspost/compress/...", "github.com/alecthomas/kong", "golang.org/x/crypto/argon2", "golang.org/x/term"}),
	},
	{
		Name:     "pages",
		Why:      "the pages are files that are served as they are",
		Packages: []string{"server/web"},
		MayNot:   join(sql, network, machine),
	},
	{
		Name:     "host",
		Why:      "host puts the server together for main, the demo and the tests alike: with main the one place that sees both edges, and with no rules of its own",
		Packages: []string{"server/internal/host"},
		May:      join(language, services, store, api, uuid, []string{"server/internal/hook/courier", "github.com/prometheus/client_golang/..."}),
	},
	{
		Name:     "demo",
		Why:      "the demo plays phones against a server that main hands to it, over HTTP like everybody",
		Packages: []string{"server/internal/demo/..."},
		May:      join(services, language, sdk, uuid, []string{"server/internal/host", "server/web"}),
	},
	{
		Name:     "simtest",
		Why:      "the simulation plays phones against a server that host starts, over HTTP like everybody",
		Packages: []string{"server/internal/simtest/..."},
		May:      join(services, language, sdk, uuid, []string{"server/internal/host", "server/internal/demo/..."}),
	},
	{
		Name:     "hatest",
		Why:      "the failover test is tests and nothing else: what it starts are processes, and what it knows of a server came over the wire or through host, as a command has it",
		Packages: []string{"server/internal/hatest"},
		MayNot:   join(sql, network, machine),
	},
	{
		Name:     "bench",
		Why:      "the floors are bare Fiber over a bare table, and PostgreSQL itself, and the server is a process that main starts: a bench that imported our edges could measure them from inside",
		Packages: []string{"server/internal/bench"},
		May:      join(language, fiber, sqlite, uuid, []string{"github.com/jackc/pgx/v5/..."}),
	},
	{
		Name:     "archtest",
		Why:      "the rules must not depend on what they judge",
		Packages: []string{"server/internal/archtest"},
		MayNot:   join(sql, network),
	},
	{
		Name:     "main",
		Why:      "wiring is done by hand in one place",
		Packages: []string{"server"},
		May: join(language, services, store, api, sdk, uuid, []string{
			"server/internal/host", "server/internal/hook/courier", "server/internal/demo/...", "server/internal/bench", "server/internal/simtest/...", "server/web", "github.com/alecthomas/kong",
			"github.com/golang-jwt/jwt/v5", "github.com/prometheus/client_golang/...",
		}),
	},
}

// impure are the functions that a pure layer can't use: they read a clock, wait
// for one, or draw something new.
var impure = []string{
	"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.Tick", "time.NewTimer", "time.NewTicker",
	"github.com/google/uuid.New", "github.com/google/uuid.NewString", "github.com/google/uuid.NewRandom",
	"github.com/google/uuid.NewUUID", "github.com/google/uuid.NewV6", "github.com/google/uuid.NewV7",
}

// Exception lets one file, or everything under a folder, do what its layer may not.
type Exception struct {
	Where string
	// What are import paths, and uses such as "time.Now".
	What []string
	Why  string
}

// exceptions are all there are. The clock is read in main packages and where this
// list says; everybody else is handed the time.
var exceptions = []Exception{
	{
		Where: "server/internal/exchange/service.go", What: []string{"time.Now"},
		Why: "New defaults to the real clock when main gives none",
	},
	{
		Where: "server/internal/exchange/writer.go", What: []string{"time.Now", "time.Since", "time.NewTicker"},
		Why: "the pace of this machine's commits, from which Retry-After is told, isn't the time of anything recorded",
	},
	{
		Where: "server/internal/identity/token.go", What: []string{"github.com/golang-jwt/jwt/v5"},
		Why: "what a token claims is identity's business; how it travels is the API's",
	},
	{
		Where: "server/internal/console/password.go", What: []string{"github.com/alexedwards/argon2id"},
		Why: "how a password is kept is the console's business; the library draws each hash's salt itself",
	},
	{
		Where: "server/internal/qr/...", What: []string{"github.com/boombuler/barcode", "github.com/boombuler/barcode/qr"},
		Why: "one package draws QR codes, and nobody else need know how",
	},
	{
		Where: "server/internal/sheet/...", What: []string{"github.com/xuri/excelize/v2"},
		Why: "one package reads and writes workbooks, and nobody else need know how",
	},
	{
		Where: "server/internal/host/...", What: []string{"time.Now"},
		Why: "Start and Open default to the real clock when their caller gives none",
	},
	{
		Where: "server/internal/api/routes.go", What: []string{"time.Now"},
		Why: "how long a request took is of this machine, whatever Now says",
	},
	{
		Where: "server/internal/api/export.go", What: []string{"time.Now"},
		Why: "until when a connection may take a file's next part is of this machine",
	},
	{
		Where: "server/internal/demo/...", What: []string{"time.Now"},
		Why: "the story's clock runs on from the real one, and the seconds that the demo took are real",
	},
	{
		Where: "clientsdk/client.go", What: []string{"time.Now"},
		Why: "Open defaults to the real clock when its caller gives none",
	},
	{
		Where: "server/internal/bench/...", What: []string{"time.Now"},
		Why: "it measures how long things take",
	},
}

// badNames say nothing of what a package is.
var badNames = []string{"utils", "util", "common", "helpers", "helper", "manager", "managers", "models", "model", "misc", "shared"}

func join(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
