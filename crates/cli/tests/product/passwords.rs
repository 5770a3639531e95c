//! Passwords with the real binary: set from standard input, used in a browser, taken away.

use crate::support::{Process, Server};
use reqwest::header;

const PASSWORD: &str = "four words of joe";

impl Server {
    async fn sign_in(&self) -> (u16, Option<String>) {
        let form = [("env", "default/dev"), ("user", "joe"), ("password", PASSWORD)];
        let answer = Self::http().post(format!("{}/login", self.url)).form(&form).send().await.unwrap();
        let cookie = answer.headers().get(header::SET_COOKIE).map(|value| value.to_str().unwrap());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        (answer.status().as_u16(), cookie)
    }

    async fn inbox(&self, cookie: &str) -> u16 {
        let inbox = Self::http().get(format!("{}/inbox", self.url)).header(header::COOKIE, cookie);
        inbox.send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn a_password_from_standard_input_signs_in_until_it_is_taken_away() {
    let server = Server::of_the_family();
    let refused = server.fails(&["password", "set", "joe"]);
    assert!(refused.contains("no password on standard input"), "{refused}");
    let mut setting = Process::start(&mut server.command(&["password", "set", "joe"]));
    setting.say(PASSWORD);
    let (status, said) = setting.finish();
    assert!(status.success() && said.contains("joe has a new password"), "{said}");

    let (status, cookie) = server.sign_in().await;
    let cookie = cookie.unwrap();
    assert_eq!((status, server.inbox(&cookie).await), (303, 200));
    server.ok(&["password", "clear", "joe"]);
    assert_eq!(server.inbox(&cookie).await, 401);
    assert_eq!(server.sign_in().await, (401, None));
}
