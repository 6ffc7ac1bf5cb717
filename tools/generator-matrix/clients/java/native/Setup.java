import klient.ApiClient;

class Setup {
    static ApiClient client(String url) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(url);
        return client;
    }
}
