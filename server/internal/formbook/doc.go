// Package formbook keeps forms, templates and settings through their life: drafts are
// worked on, versions are published and stay for good, settings hold in an area and below
// it from a day on.
//
// It refuses to alter what was published, and to publish what phones with older records
// could not read beside them.
package formbook
