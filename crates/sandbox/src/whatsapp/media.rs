//! The host of encrypted files: uploads, downloads, and what phones do with them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use wacore::download::{DownloadUtils, MediaType};
use wacore::upload::encrypt_media;

use super::octets::Octets;
use super::{Emulator, FaultKind};

/// What the media host asks of those who upload.
pub(super) const AUTH: &str = "sandbox";
/// The largest file, as encrypted.
pub(super) const LARGEST_FILE: usize = 32 * 1024 * 1024;
/// All files together; the oldest make room.
const MOST_BYTES: usize = 128 * 1024 * 1024;

/// Encrypted files by their token, the hash of the ciphertext.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Files {
    files: HashMap<String, Octets>,
    /// The oldest first.
    order: VecDeque<String>,
    /// The last upload that broke off: its token, and what has come of it.
    #[serde(skip)]
    begun: Option<(String, Octets)>,
}

impl Files {
    pub(super) fn put(&mut self, bytes: &[u8]) -> String {
        let token = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        if self.files.insert(token.clone(), Octets::from(bytes)).is_none() {
            self.order.push_back(token.clone());
        }
        while self.files.values().map(|file| file.len()).sum::<usize>() > MOST_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.files.remove(&oldest);
        }
        token
    }

    /// What has come of an upload that broke off.
    fn begun(&self, token: &str) -> &[u8] {
        self.begun.as_ref().filter(|(begun, _)| begun == token).map_or(&[], |(_, bytes)| bytes)
    }

    /// Encrypts a file with a key of its own and keeps it.
    pub(super) fn store(&mut self, host: &str, bytes: &[u8], kind: MediaType) -> anyhow::Result<Stored> {
        let sealed = encrypt_media(bytes, kind)?;
        anyhow::ensure!(sealed.data_to_upload.len() <= LARGEST_FILE, "the file is too large");
        let direct_path = direct_path(&self.put(&sealed.data_to_upload));
        Ok(Stored {
            url: format!("https://{host}{direct_path}"),
            direct_path,
            media_key: sealed.media_key,
            file_sha256: sealed.file_sha256,
            file_enc_sha256: sealed.file_enc_sha256,
        })
    }

    /// Fetches and decrypts a file.
    pub(super) fn open(&self, file: &Reference, kind: MediaType) -> anyhow::Result<Vec<u8>> {
        let token = file.direct_path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let sealed = self.files.get(token).ok_or_else(|| anyhow::anyhow!("no such file on the host"))?;
        Ok(DownloadUtils::verify_and_decrypt(sealed, &file.media_key, kind)?)
    }
}

/// An uploaded file, as messages refer to it.
pub(super) struct Stored {
    pub(super) url: String,
    pub(super) direct_path: String,
    pub(super) media_key: [u8; 32],
    pub(super) file_sha256: [u8; 32],
    pub(super) file_enc_sha256: [u8; 32],
}

/// A file that a message refers to.
pub(super) struct Reference {
    direct_path: String,
    media_key: Vec<u8>,
    pub(super) mimetype: String,
    pub(super) file_name: Option<String>,
}

impl Reference {
    pub(super) fn read(
        direct_path: &Option<String>,
        media_key: &Option<Vec<u8>>,
        mimetype: Option<&str>,
        file_name: Option<String>,
    ) -> Option<Self> {
        Some(Self {
            direct_path: direct_path.clone()?,
            media_key: media_key.clone()?,
            mimetype: mimetype.unwrap_or_default().to_owned(),
            file_name,
        })
    }
}

pub(super) fn direct_path(token: &str) -> String {
    format!("/v/{token}")
}

#[derive(Deserialize)]
pub(super) struct Access {
    auth: Option<String>,
    resume: Option<String>,
    /// Where an upload that broke off goes on.
    file_offset: Option<usize>,
}

impl Access {
    fn is_right(&self) -> bool {
        self.auth.as_deref().is_none_or(|auth| auth == AUTH)
    }
}

/// `POST /mms/{kind}/{token}`: a client uploads a file, or asks with `resume` how much of it is here.
pub(super) async fn upload(
    State(emulator): State<Arc<Emulator>>,
    Path((kind, token)): Path<(String, String)>,
    Query(access): Query<Access>,
    body: Bytes,
) -> Response {
    if access.auth.is_none() || !access.is_right() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let asks = access.resume.is_some();
    let fault = if asks { None } else { emulator.world.lock().fault_of_file(&format!("POST /mms/{kind}/{token}")) };
    if let Some(refusal) = refusal(fault).await {
        return refusal;
    }
    let path = direct_path(&token);
    let place = json!({ "url": format!("https://{}{path}", emulator.options.media_host), "direct_path": path });
    let mut world = emulator.world.lock();
    if asks {
        return match world.files.files.contains_key(&token) {
            true => Json(json!({ "resume": "complete", "url": place["url"], "direct_path": path })).into_response(),
            false => Json(json!({ "resume": world.files.begun(&token).len().to_string() })).into_response(),
        };
    }
    let begun = world.files.begun(&token);
    let body = match access.file_offset {
        Some(offset) if offset == begun.len() => Bytes::from([begun, &body].concat()),
        Some(_) => return StatusCode::BAD_REQUEST.into_response(),
        None => body,
    };
    if fault == Some(FaultKind::Drop) {
        world.files.begun = Some((token, Octets::from(&body[..body.len() / 2])));
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&body)) != token {
        return StatusCode::BAD_REQUEST.into_response();
    }
    world.files.put(&body);
    Json(place).into_response()
}

/// `GET /v/{token}`: a client downloads a file.
pub(super) async fn download(State(emulator): State<Arc<Emulator>>, Path(token): Path<String>, Query(access): Query<Access>) -> Response {
    if !access.is_right() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let fault = emulator.world.lock().fault_of_file(&format!("GET /v/{token}"));
    if let Some(refusal) = refusal(fault).await {
        return refusal;
    }
    match emulator.world.lock().files.files.get(&token) {
        Some(file) if fault == Some(FaultKind::Drop) => Bytes::copy_from_slice(&file[..file.len() / 2]).into_response(),
        Some(file) => Bytes::copy_from_slice(file).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What the host says instead, where a fault has it so; one that is slow says it late.
async fn refusal(fault: Option<FaultKind>) -> Option<Response> {
    match fault? {
        FaultKind::Status(code) => Some(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()),
        FaultKind::Timeout(delay) => {
            tokio::time::sleep(delay).await;
            None
        }
        _ => None,
    }
}
