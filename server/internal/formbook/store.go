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
	// Publish are definitions of which there is no such version yet, and Known is how many
	// had been published when they were held against each of them.
	Publish []registry.Published
	Known   int
	// Drafts replace those of the same sort and name; of Dropped these two matter and, where
	// there is one, the source: it says which draft is meant.
	Drafts, Dropped []Draft
	Settings        []registry.Setting
	// Lines are noted in the audit's log.
	Lines []audit.Entry
}

// Store keeps definitions and settings; registry.Store reads those that are in force.
type Store interface {
	// Drafts returns all drafts, in order of sort and name.
	Drafts(ctx context.Context) ([]Draft, error)
	// SaveForms fails with code moved_on (version) if a version to be published is there, or
	// another number than known have been published; moved_on (draft) if a draft to be
	// dropped says something else by now. Another process may have been here meanwhile, and
	// nothing is saved then.
	SaveForms(ctx context.Context, w *Write) error
}
