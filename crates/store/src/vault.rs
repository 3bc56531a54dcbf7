use std::sync::Arc;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use domain::CompanyId;
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

/// The first byte of everything sealed: which way it was done.
const VERSION: u8 = 1;
const NONCE: usize = 24;

/// Seals secrets at rest: XChaCha20-Poly1305 with a random nonce, a key per tenant derived by
/// HKDF-SHA-256, and the place of the value (tenant, table, key) as associated data, so that a
/// sealed value moved to another row or tenant does not open.
#[derive(Clone)]
pub struct Vault(Arc<SecretBox<[u8; 32]>>);

/// A sealed value does not open: another key, another place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: wrong key, wrong place, or damaged")]
pub struct SealError;

impl Vault {
    /// A vault with that master key (`ENCRYPTION_KEY`).
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(key))))
    }

    /// Seals `plain` for its place: version byte, nonce, ciphertext with tag (41 bytes longer).
    ///
    /// # Panics
    /// When the operating system gives no randomness: nothing safe can be done then.
    pub fn seal(&self, company: CompanyId, table: &str, key: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the operating system's randomness");
        let aad = place(company, table, key);
        let sealed = self
            .cipher(company)
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("a value far below the cipher's limit of 256 GiB");
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens what [`Vault::seal`] made for the same place.
    ///
    /// # Errors
    /// [`SealError`] for anything else.
    pub fn open(&self, company: CompanyId, table: &str, key: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (&VERSION, rest) = sealed.split_first().ok_or(SealError)? else { return Err(SealError) };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(SealError)?;
        let aad = place(company, table, key);
        self.cipher(company).decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad }).map_err(|_| SealError)
    }

    fn cipher(&self, company: CompanyId) -> XChaCha20Poly1305 {
        let mut key = SecretBox::new(Box::new([0_u8; 32]));
        let tenant = format!("ai-admin tenant {company}");
        Hkdf::<Sha256>::new(None, self.0.expose_secret())
            .expand(tenant.as_bytes(), secrecy::ExposeSecretMut::expose_secret_mut(&mut key))
            .expect("32 bytes are within HKDF's limit");
        XChaCha20Poly1305::new(key.expose_secret().into())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// Lengths before the parts, so that no two places read the same.
fn place(company: CompanyId, table: &str, key: &str) -> Vec<u8> {
    let mut out = company.0.to_be_bytes().to_vec();
    for part in [table, key] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_in_its_own_place_only() {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal(CompanyId(1), "companies", "api_key", b"sk_secret");
        assert_eq!(vault.open(CompanyId(1), "companies", "api_key", &sealed).as_deref(), Ok(&b"sk_secret"[..]));
        let elsewhere = [
            vault.open(CompanyId(2), "companies", "api_key", &sealed),
            vault.open(CompanyId(1), "companie", "sapi_key", &sealed),
            vault.open(CompanyId(1), "companies", "webhook", &sealed),
            Vault::new([8; 32]).open(CompanyId(1), "companies", "api_key", &sealed),
            vault.open(CompanyId(1), "companies", "api_key", &sealed[..sealed.len() - 1]),
            vault.open(CompanyId(1), "companies", "api_key", &[]),
        ];
        assert!(elsewhere.iter().all(|opened| *opened == Err(SealError)), "{elsewhere:?}");
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(vault.open(CompanyId(1), "companies", "api_key", &damaged), Err(SealError), "byte {at}");
        }
    }

    #[test]
    fn never_the_same_twice_and_never_plain() {
        let vault = Vault::new([7; 32]);
        let (a, b) = (vault.seal(CompanyId(1), "t", "k", b"sk_secret"), vault.seal(CompanyId(1), "t", "k", b"sk_secret"));
        assert_ne!(a, b);
        assert_eq!(a.len(), 9 + 41);
        assert!(!a.windows(9).any(|window| window == b"sk_secret"));
    }
}
