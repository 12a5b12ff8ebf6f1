package outputs

import (
	"io/fs"
	"os"
)

// inputs are the files that a command reads. They are found by identity, which is the
// same for all links and spellings, and by path, because a file may not exist yet.
type inputs struct {
	byIdentity map[identity]string
	byPath     map[string]string
	// loose are the files on systems without identities.
	loose []looseInput
}

type looseInput struct {
	info fs.FileInfo
	path string
}

func (in *inputs) add(path, canon string) {
	if in.byPath == nil {
		in.byPath = map[string]string{}
	}
	if _, known := in.byPath[canon]; known {
		return
	}
	in.byPath[canon] = path
	for _, look := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := look(path)
		if err != nil || info.IsDir() {
			continue
		}
		in.addInfo(info, path)
	}
}

// addInfo notes a file by its identity.
func (in *inputs) addInfo(info fs.FileInfo, path string) {
	id, ok := identify(info)
	if !ok {
		in.loose = append(in.loose, looseInput{info, path})
		return
	}
	if in.byIdentity == nil {
		in.byIdentity = map[identity]string{}
	}
	if _, known := in.byIdentity[id]; !known {
		in.byIdentity[id] = path
	}
}

// at returns the input that has the canonical path, or is the same file as one of infos.
func (in *inputs) at(canon string, infos ...fs.FileInfo) (path string, ok bool) {
	if path, ok := in.byPath[canon]; ok {
		return path, true
	}
	for _, info := range infos {
		if info == nil {
			continue
		}
		if id, ok := identify(info); ok {
			if path, ok := in.byIdentity[id]; ok {
				return path, true
			}
			continue
		}
		for _, l := range in.loose {
			if os.SameFile(info, l.info) {
				return l.path, true
			}
		}
	}
	return "", false
}
