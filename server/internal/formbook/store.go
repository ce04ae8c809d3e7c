package formbook

import (
	"context"

	"gridsync/server/internal/audit"
	"gridsync/server/internal/registry"
	"gridsync/syncproto"
)

// Draft is a definition that somebody works on: one for each kind or template. Phones
// hear nothing of it, and it may be altered and thrown away.
type Draft struct {
	Sort   registry.Sort
	Name   string
	Source []byte
	By     syncproto.AuthorID
	At     syncproto.Instant
}

// Write is what is written together, or not at all.
type Write struct {
	// Publish are definitions of which there is no such version yet.
	Publish []registry.Published
	// Drafts replace those of the same sort and name; of Dropped only these two matter.
	Drafts, Dropped []Draft
	Settings        []registry.Setting
	// Lines are noted in the audit's log.
	Lines []audit.Entry
}

// Store keeps definitions and settings; registry.Store reads those that are in force.
type Store interface {
	// Drafts returns all drafts, in order of sort and name.
	Drafts(ctx context.Context) ([]Draft, error)
	// SaveForms fails with code moved_on (version) if a version to be published is there.
	SaveForms(ctx context.Context, w *Write) error
}
