//! Starting, refusing to start, stopping.

use server::{Error, Options, Server};

use crate::world::{World, site};

#[tokio::test]
async fn a_port_in_use_is_named_with_a_way_out() {
    let world = World::start().await;
    let options = Options { address: world.address, ..Options::default() };
    let error = Server::bind(options, site()).await.err().expect("an error");
    assert!(matches!(error, Error::Bind { .. }), "{error}");
    assert!(error.to_string().contains("the port is in use"), "{error}");
    assert!(error.hint().contains("--port 0"), "{}", error.hint());
}

#[tokio::test]
async fn listening_beyond_loopback_needs_authentication_or_a_word() {
    let beyond = Options { address: ([0, 0, 0, 0], 0).into(), ..Options::default() };
    let error = Server::bind(beyond.clone(), site()).await.err().expect("an error");
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error}");
    let allowed = Options { allow_unauthenticated: true, ..beyond };
    let server = Server::bind(allowed, site()).await.expect("bind");
    assert!(server.urls().mcp.starts_with("http://127.0.0.1:"), "{:?}", server.urls());
}

#[tokio::test]
async fn it_stops_when_told_to() {
    let world = World::start().await;
    let address = world.address;
    world.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
