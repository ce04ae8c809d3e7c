package clientsdk

import "database/sql"

// Raw is the client's database, for tests that damage it.
func (c *Client) Raw() *sql.DB { return c.db }
