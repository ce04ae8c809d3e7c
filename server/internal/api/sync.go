package api

import "gridsync/syncproto"

// sync is POST /v1/sync.
func (a *API) sync(c *call) (any, error) {
	req, err := readRequest(c.Ctx)
	if err != nil {
		return nil, err
	}
	if req.Device != c.caller.Device.ID {
		return nil, &syncproto.Error{Code: syncproto.CodeBadToken, Field: "device", Detail: "the token is another device's"}
	}
	answer, err := a.Exchange.Sync(c.ctx, req.Device, req)
	if err != nil {
		return nil, err
	}
	a.metrics.count(answer.Verdicts)
	return answer, nil
}
