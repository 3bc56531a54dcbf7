//! Whose request it is, seen through the proxies we trust.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use crate::Web;
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, request::Parts},
    middleware::Next,
    response::Response,
};

/// The address a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientIp(pub(crate) IpAddr);

/// Of the peer and the addresses forwarded for it, nearest last, the nearest that is no proxy of ours.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.contains(ip);
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut client = peer.to_canonical();
    for hop in forwarded.collect::<Vec<_>>().into_iter().rev() {
        match hop.trim().parse::<IpAddr>() {
            Ok(ip) if is_trusted(&client) => client = ip.to_canonical(),
            _ => break,
        }
    }
    client
}

/// Notes the client's address on the request, for the limits and the sockets.
pub(crate) async fn note(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let ip = behind(peer, request.headers(), &web.settings.trusted_proxies);
    request.extensions_mut().insert(ClientIp(ip));
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["127.0.0.1".parse().expect("an ip"), "10.0.0.1".parse().expect("an ip")];
        for (peer, forwarded, client) in [
            ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
            ("127.0.0.1", "1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
            ("127.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"),
            ("127.0.0.1", "1.1.1.1, nonsense", "127.0.0.1"),
            ("127.0.0.1", "", "127.0.0.1"),
            ("::ffff:127.0.0.1", "1.1.1.1", "1.1.1.1"),
        ] {
            let headers = HeaderMap::from_iter([("x-forwarded-for".parse().expect("a name"), forwarded.parse().expect("a value"))]);
            assert_eq!(
                behind(peer.parse().expect("an ip"), &headers, &trusted),
                client.parse::<IpAddr>().expect("an ip"),
                "{peer} {forwarded}"
            );
        }
    }
}
