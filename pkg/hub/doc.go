// Package hub downloads checkpoints into the cache folder and finds them there. It
// knows each catalogue entry's source, licence and checksums. It deals with files only;
// it knows nothing about the models in them.
//
// An interrupted download is resumed. A file gets its final name only when it is
// complete and its checksum is right. If the catalogue has no SHA-256 for a file, the
// one declared by the server is used and stored in a record beside the file ([Record]),
// so that later damage can be detected.
//
// These environment variables set the cache folder, and a mirror or test server for
// each host:
//
//	GAZE_CACHE            the cache folder (otherwise $XDG_CACHE_HOME/gaze or the system's)
//	HF_ENDPOINT           instead of https://huggingface.co
//	GAZE_GITHUB_ENDPOINT  instead of https://github.com
//	GAZE_OXFORD_ENDPOINT  instead of the Oxford-IIIT Pet set's two servers (the folder with its archives)
//	PIP_INDEX_URL         instead of https://pypi.org/simple (pip's own configuration is read too)
//
// A value that isn't an http:// or https:// address is an error that names the variable.
// HTTPS_PROXY and SSL_CERT_FILE work as usual in Go.
package hub
