package lint

import (
	"encoding/json"
	"errors"
	"strings"
)

// The linter's own file of this place reads the second schema of dashboards with a module that can't be had from a
// proxy. The dashboards here are of the classic schema; one of the second is refused.

func isV2APIVersion(version string) bool {
	return strings.HasPrefix(version[strings.LastIndex(version, "/")+1:], "v2")
}

func newDashboardFromV2(json.RawMessage, string) (Dashboard, error) {
	return Dashboard{}, errors.New("this build of the linter reads the classic schema only")
}
