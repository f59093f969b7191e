//! Serves the fakes that the golden specs are tested with: `cargo run --example fakes [ADDRESS:PORT]`.

mod all;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let url = match all::start(&address).await {
        Ok(url) => url,
        Err(error) => {
            eprintln!("cannot listen on {address}: {error}\nusage: fakes [ADDRESS:PORT]");
            return ExitCode::FAILURE;
        }
    };
    for (folder, what, wants) in all::FAKES {
        println!("{url}/{folder}\n    a fake of {what}; it wants {wants}");
    }
    std::future::pending::<()>().await;
    ExitCode::SUCCESS
}
