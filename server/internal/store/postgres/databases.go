package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// Beside is the address of another database of the same cluster.
func Beside(address, name string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", ErrAddress
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}

// Create makes a database beside one: an empty one or, if there is a template, its copy. The
// one that is copied must be in nobody's use.
func Create(ctx context.Context, address, name, template string) error {
	text := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		text += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	return once(ctx, address, text)
}

// Drop takes away a database beside one, if it is there.
func Drop(ctx context.Context, address, name string) error {
	return once(ctx, address, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize())
}

// once runs a statement that can't be part of a transaction.
func once(ctx context.Context, address, text string) error {
	config, err := configOf(address)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		_, err = conn.Exec(ctx, text)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("postgres: databases: %w", err)
	}
	return nil
}

// SizeOf is how many bytes a database beside one has on disk.
func SizeOf(ctx context.Context, address, name string) (size int64, err error) {
	config, err := configOf(address)
	if err != nil {
		return 0, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_database_size($1::name)", name).Scan(&size)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: size of a database: %w", err)
	}
	return size, nil
}
