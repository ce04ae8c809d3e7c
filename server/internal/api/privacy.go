package api

// privacyRoutes are who looked at what, and what may be taken away or published.
func privacyRoutes() []route { return nil }
