"""The tab in which a judge, a second network of the same classes, names the drawn images."""
