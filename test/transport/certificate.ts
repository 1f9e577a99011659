/** A certificate for `localhost` that signs itself, its key, and a key that is another's. They guard nothing: the tests need no program to make one. */

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUYViZd/no1hm/rMmdlLRjlfCNKAkwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMDE5NTMxM1oYDzIxMjYxMDI3
MTk1MzEzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATqHFzJnb/7gSN+hHgZc01aKXGyppYXjtIVB1dq2fjNkyCHGPza4+Nc
VOgnTDZbCfwx7ck2WEoc50jQCUKA3bRCo1MwUTAdBgNVHQ4EFgQUe19LFF1TLREV
cjwiudtZbJXaQHAwHwYDVR0jBBgwFoAUe19LFF1TLREVcjwiudtZbJXaQHAwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBESMkGzXLIPSZ3kTmUVAYj
rl9bmITO/E2C1HNVmojEuwIgPEjI/Czln4dKmb7R/XdMbiPa67hyOXHOn7Ml6bNl
Uvw=
-----END CERTIFICATE-----
`

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSduzKMuve34lRyP8
wXflM7zTIOt5zxmRACyfcD3zP+mhRANCAATqHFzJnb/7gSN+hHgZc01aKXGyppYX
jtIVB1dq2fjNkyCHGPza4+NcVOgnTDZbCfwx7ck2WEoc50jQCUKA3bRC
-----END PRIVATE KEY-----
`

export const OTHER_KEY = ``
