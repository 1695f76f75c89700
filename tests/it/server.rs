//! A folder over HTTP, as any static host would serve it.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower_http::services::ServeDir;

/// Serves until it is dropped.
pub(crate) struct FolderServer {
    address: SocketAddr,
    _runtime: Runtime,
}

impl FolderServer {
    pub(crate) fn start(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let site = Router::new().fallback_service(ServeDir::new(folder));
        runtime.spawn(async move { axum::serve(listener, site).await });
        Self { address, _runtime: runtime }
    }

    /// The whole URL of an address of the site.
    pub(crate) fn url(&self, address: &str) -> String {
        format!("http://{}{address}", self.address)
    }
}
