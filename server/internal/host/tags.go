package host

import (
	"fmt"
	"path/filepath"

	"gridsync/server/internal/privacy"
)

// tagFile is the key of the tags on masked values. With another one, what phones hold and
// what they get from then on looks as if it differed, until they fetch it anew.
const tagFile = "tag.key"

// openTags reads the key of the tags from the folder of keys, making one if there is none.
func openTags(dir string) (*privacy.Tagger, error) {
	key, err := secretOr("", filepath.Join(dir, tagFile))
	if err != nil {
		return nil, fmt.Errorf("key of tags: %w", err)
	}
	return privacy.NewTagger(key)
}
