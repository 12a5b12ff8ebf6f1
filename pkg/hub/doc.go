// Package hub knows the checkpoints that Gaze is used with: where each comes from, its
// licence, and how to fetch it into the cache folder. It knows files; it doesn't know
// what models they hold.
//
// An interrupted download is resumed; a file appears under its own name only when it is
// whole and its checksum is right. Where the catalogue has no SHA-256 of a file, the one
// that its server declares is used, and a record beside the file ([Record]) keeps it, so
// that later damage is found.
//
// These environment variables name a mirror or a test server instead:
//
//	GAZE_CACHE            the cache folder (otherwise $XDG_CACHE_HOME/gaze or the system's)
//	HF_ENDPOINT           instead of https://huggingface.co
//	GAZE_GITHUB_ENDPOINT  instead of https://github.com
//	GAZE_OXFORD_ENDPOINT  instead of the Oxford-IIIT Pet set's own two (the folder with its archives)
//	PIP_INDEX_URL         instead of https://pypi.org/simple (pip's own configuration is read too)
//
// A value that is no address, http:// or https://, is an error that names the variable.
// The usual HTTPS_PROXY and SSL_CERT_FILE work as everywhere in Go.
package hub
