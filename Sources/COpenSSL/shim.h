// OpenSSL 3 for Swift. Swift imports functions but neither function-like macros nor variadic functions: those that
// Concord needs are wrapped here, one line each, with the prefix concord_. No other logic belongs in this file.
#ifndef CONCORD_COPENSSL_SHIM_H
#define CONCORD_COPENSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Keys and memory
static inline EVP_PKEY *concord_generate_p256(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); }
static inline long concord_bio_memory(BIO *b, char **data) { return BIO_get_mem_data(b, data); }
static inline void concord_free(void *p) { OPENSSL_free(p); }

// Stacks of certificates
static inline int concord_chain_count(const STACK_OF(X509) *s) { return s == NULL ? 0 : sk_X509_num(s); }
static inline X509 *concord_chain_get(const STACK_OF(X509) *s, int i) { return sk_X509_value(s, i); }

// Stacks of extensions, as certificate requests ask for them
static inline STACK_OF(X509_EXTENSION) *concord_extensions_new(void) { return sk_X509_EXTENSION_new_null(); }
static inline int concord_extensions_push(STACK_OF(X509_EXTENSION) *s, X509_EXTENSION *e) {
    return sk_X509_EXTENSION_push(s, e);
}
static inline void concord_extensions_free(STACK_OF(X509_EXTENSION) *s) {
    sk_X509_EXTENSION_pop_free(s, X509_EXTENSION_free);
}

// TLS contexts
static inline int concord_ctx_only_tls13(SSL_CTX *c) {
    return SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1;
}
static inline void concord_ctx_set_options(SSL_CTX *c) {
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}
static inline void concord_ctx_set_modes(SSL_CTX *c) {
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                         | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
}
static inline void concord_ctx_no_session_cache(SSL_CTX *c) { SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); }
static inline int concord_ctx_set_groups(SSL_CTX *c, const char *list) { return (int)SSL_CTX_set1_groups_list(c, list); }
static inline int concord_ctx_set_sigalgs(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_sigalgs_list(c, l); }
static inline int concord_ctx_add_chain(SSL_CTX *c, X509 *x) { return (int)SSL_CTX_add1_chain_cert(c, x); }
static inline void concord_ctx_limit_chain_bytes(SSL_CTX *c, long n) { SSL_CTX_set_max_cert_list(c, n); }

// Memory BIOs as the ends of filter chains
static inline int concord_bio_reset(BIO *b) { return (int)BIO_reset(b); }
static inline int concord_bio_flush(BIO *b) { return (int)BIO_flush(b); }
static inline int concord_bio_cipher_succeeded(BIO *b) { return (int)BIO_get_cipher_status(b); }

// BIO callbacks
static inline void concord_bio_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void concord_bio_clear_retry(BIO *b) { BIO_clear_retry_flags(b); }
#endif
