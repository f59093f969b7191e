//! Against the examples that AWS publishes, in the documentation of Signature Version 4 and of S3, and in its test suite.

use super::*;

fn keys(service: &str, s3: bool) -> SigV4 {
    let (key_id, secret) = if s3 {
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    } else {
        ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    };
    let secret = Secret::new(secret);
    SigV4 { key_id: key_id.into(), secret, session_token: None, region: "us-east-1".into(), service: service.into() }
}

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
}

/// Headers of the request, written `name: value`, all of which are signed.
fn sign(keys: &SigV4, at: &str, method: &str, url: &str, headers: &[&str], body: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    let pairs = headers.iter().map(|line| line.split_once(':').expect("a header"));
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    pairs.push(("host".to_owned(), host(&url)));
    pairs.push(("x-amz-date".to_owned(), stamp(time(at))));
    let hash = hex(&Sha256::digest(body));
    if keys.is_s3() {
        pairs.push(("x-amz-content-sha256".to_owned(), hash.clone()));
    }
    let text = keys.authorization(time(at), method, &keys.path(&url), &canonical_query(&url), pairs, &hash);
    text.expect("a signature").rsplit_once("Signature=").expect("a signature").1.to_owned()
}

#[test]
fn examples_of_s3() {
    let keys = keys("s3", true);
    let bucket = "https://examplebucket.s3.amazonaws.com";
    let date = "date:Fri, 24 May 2013 00:00:00 GMT";
    let class = "x-amz-storage-class:REDUCED_REDUNDANCY";
    let cases: [(&str, &str, &[&str], &str, &str); 4] = [
        (
            "GET",
            "/test.txt",
            &["range:bytes=0-9"],
            "",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            &[date, class],
            "Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/?lifecycle", &[], "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "/?max-keys=2&prefix=J", &[], "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ];
    for (method, path, headers, body, wanted) in cases {
        let signature = sign(&keys, "2013-05-24T00:00:00Z", method, &format!("{bucket}{path}"), headers, body);
        assert_eq!(signature, wanted, "{method} {path}");
    }
}

#[test]
fn a_presigned_url() {
    let mut url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").expect("a URL");
    keys("s3", true)
        .presign(time("2013-05-24T00:00:00Z"), "GET", &mut url, Duration::from_secs(86_400))
        .expect("a signature");
    assert_eq!(
        url.as_str(),
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn examples_of_other_services() {
    let at = "2015-08-30T12:36:00Z";
    let service = keys("service", false);
    let base = "https://example.amazonaws.com";
    let cases: [(&str, &str, &[&str], &str); 7] = [
        ("GET", "/", &[], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", "/example//", &[], "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("POST", "/", &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("POST", "/?Param1=value1", &[], "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        (
            "GET",
            "/",
            &["My-Header1:value2", "My-Header1:value2", "My-Header1:value1"],
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            "/",
            &["My-Header1: value1", "My-Header2: \"a   b   c\""],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
    ];
    for (method, path, headers, wanted) in cases {
        let url = format!("{base}{path}");
        assert_eq!(sign(&service, at, method, &url, headers, ""), wanted, "{method} {path} {headers:?}");
    }
    let form = ["content-type:application/x-www-form-urlencoded; charset=utf-8"];
    let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
    let wanted = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    assert_eq!(sign(&keys("iam", false), at, "GET", url, &form, ""), wanted);
}
