package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"gridsync/syncproto"
)

// document writes the OpenAPI 3.1 document of a table of routes.
func document(table []route) (text []byte, err error) {
	s := newSchemas()
	s.schema(reflect.TypeFor[Problem]())
	s.named["Change"] = s.changeSchema()
	s.schema(reflect.TypeFor[syncproto.Error]())
	paths := object{}
	for i := range table {
		r := &table[i]
		if paths[r.path] == nil {
			paths[r.path] = object{}
		}
		item, _ := paths[r.path].(object)
		item[strings.ToLower(r.method)] = operation(s, r)
	}
	text, err = json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "gridsync 网格通", "version": strconv.Itoa(syncproto.Protocol),
			"summary": "Records made offline by many hands, merged without losing any; totals that open to their rows.",
			"license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"paths": paths,
		"components": object{
			"schemas": s.named,
			"securitySchemes": object{"device": object{
				"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
				"description": "The device's token: EdDSA, audience gridsync, sub the device's id.",
			}, "desk": object{
				"type": "apiKey", "in": "cookie", "name": SessionCookie,
				"description": "Somebody signed in. A request that changes something needs the header " + PageHeader + " besides.",
			}},
		},
		"x-codes": codeTable(),
	})
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	return text, nil
}

// codeTable is every code with what a person reads and, for those that turn a
// whole request away, the status.
func codeTable() object {
	table := object{}
	for _, code := range syncproto.Codes() {
		e := syncproto.Error{Code: code}
		line := object{"message": e.Message()}
		if status := e.Status(); status < fiber.StatusInternalServerError || code == syncproto.CodeInternal {
			line["status"] = status
		}
		table[string(code)] = line
	}
	return table
}

func operation(s *schemas, r *route) object {
	op := object{"operationId": r.id, "summary": r.summary, "responses": responses(s, r), "security": []object{}}
	switch r.who {
	case anyone:
	case delivering:
		op["security"] = []object{{"device": []string{}}}
	case someone:
		op["security"] = []object{{"device": []string{}}, {"desk": []string{}}}
	case atDesk:
		op["security"] = []object{{"desk": []string{}}}
	}
	if r.right != "" {
		op["x-right"] = r.right
	}
	if len(r.params) > 0 {
		op["parameters"] = parameters(r.params)
	}
	if r.body != nil {
		op["requestBody"] = object{
			"required":    true,
			"description": "At most " + strconv.Itoa(syncproto.MaxBodyBytes) + " bytes, both as sent and inflated; Content-Encoding gzip or none.",
			"content":     content(fiber.MIMEApplicationJSON, s.schema(reflect.TypeOf(r.body))),
		}
	}
	return op
}

func parameters(params []param) []object {
	list := make([]object, 0, len(params))
	for _, p := range params {
		line := object{
			"name": p.name, "in": p.in, "required": p.in == "path", "description": p.about, "schema": object{"type": p.kind},
		}
		if p.example != "" && p.kind == "string" {
			line["example"] = p.example
		}
		list = append(list, line)
	}
	return list
}

// responses describes the answer, and for each status the codes that come with it.
func responses(s *schemas, r *route) object {
	schema, media := object{"type": "string"}, r.media
	if r.answer != nil {
		schema, media = s.schema(reflect.TypeOf(r.answer)), fiber.MIMEApplicationJSON
	} else if media == fiber.MIMEApplicationJSON {
		schema = object{"type": "object"}
	}
	all := object{"200": object{"description": "OK", "content": content(media, schema)}}
	byStatus := make(map[int][]string)
	for _, code := range r.allCodes() {
		status := (&syncproto.Error{Code: code}).Status()
		if !slices.Contains(byStatus[status], string(code)) {
			byStatus[status] = append(byStatus[status], string(code))
		}
	}
	for status, codes := range byStatus {
		slices.Sort(codes)
		answer := object{"description": strings.Join(codes, ", "), "content": content(fiber.MIMEApplicationJSON, ref("Problem"))}
		if status == fiber.StatusTooManyRequests {
			answer["headers"] = object{fiber.HeaderRetryAfter: object{
				"description": "Seconds until it is worth trying again.", "schema": object{"type": "integer", "minimum": 1},
			}}
		}
		all[strconv.Itoa(status)] = answer
	}
	return all
}

func content(media string, schema object) object {
	return object{media: object{"schema": schema}}
}
