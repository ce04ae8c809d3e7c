package main

import (
	"errors"

	"gridsync/clientsdk"
	"gridsync/syncproto"
	"gridsync/syncproto/form"
	"gridsync/syncproto/watch"
)

// listField is the field in which a record names the list that somebody was found on.
const listField = "list"

// lookout holds whoever passes a post against the lists that the post watches out for, and
// notes on the record which list they are on. Of other kinds of records nobody is looked
// for.
func (s *session) lookout(e *clientsdk.Edit) ([]watch.List, error) {
	f := s.client.Forms().Newest(e.Kind)
	if f == nil || e.Kind != "passage" {
		return nil, nil
	}
	hits, err := s.client.OnWatch(s.ctx, clientsdk.NumbersOf(f, e.Fields)...)
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	field, known := f.Field(listField)
	if _, said := e.Fields[listField]; known && !said && field.Type == form.Ref {
		e.Fields[listField] = syncproto.TextValue(hits[0].List.String())
	}
	return hits, nil
}

// fetchWatch asks what posts watch out for. A server that has no answer is no failure of
// the sync that went before; why is told.
func (s *session) fetchWatch() {
	lists, err := s.client.FetchWatch(s.ctx)
	switch {
	case errors.Is(err, &syncproto.Error{Code: syncproto.CodeNotFound}), errors.Is(err, &syncproto.Error{Code: syncproto.CodeMethod}):
		// A server of before there were lists.
	case err != nil:
		s.printf("watch_failed", s.say.wrong(err))
	case lists > 0:
		s.printf("watching", lists)
	}
}
